/** Paths, statistics, faults, and what happens to slow, rude and late clients. */
import { connect } from "node:net";

import { describe, expect, test } from "vitest";

import { runModel, describePresets } from "../../src/lab/model/run.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { exchange, until, withServer } from "./support.ts";

const CHAT = { messages: [{ role: "user", content: "Say hello." }] };

describe("paths", () => {
  test("that do not exist are 404, other methods 405, and neither counts as a request", async () => {
    await withServer({}, async (server, url) => {
      expect((await exchange(`${url}/v2/chat`)).status).toBe(404);
      expect((await exchange(`${url}/v2/chat`, { body: CHAT })).status).toBe(404);
      const reply = await exchange(`${url}/v1/chat/completions`);
      expect(reply.status).toBe(405);
      expect(reply.headers.allow).toBe("POST");
      expect((await exchange(`${url}/health`, { body: {} })).status).toBe(405);
      expect((await exchange(`${url}/health?x=1`, { method: "HEAD" })).status).toBe(200);
      expect(server.stats().requests).toEqual({ completed: 0, aborted: 0, failed: 0, faulted: 0 });
    });
  });

  test("survive what is no HTTP", async () => {
    await withServer({}, async (server, url) => {
      const socket = connect(server.port, "127.0.0.1");
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.resume().end("nonsense\r\n\r\n");
      await closed;
      expect((await exchange(`${url}/health`)).status).toBe(200);
    });
  });
});

describe("/sim/stats", () => {
  test("counts requests open, their endings, and tokens", async () => {
    const clock = new VirtualClock();
    await withServer({ preset: "nim-gpt-oss-20b", clock }, async (server, url) => {
      const body = { ...CHAT, max_tokens: 5, ignore_eos: true };
      const asked = [1, 2, 3].map(() => exchange(`${url}/v1/chat/completions`, { body }));
      await until(() => server.engine.state.waiting === 3);
      expect(JSON.parse((await exchange(`${url}/sim/stats`)).text)).toEqual({
        concurrent: 3,
        max_concurrent_seen: 3,
        wedged: false,
        requests: { completed: 0, aborted: 0, failed: 0, faulted: 0 },
        tokens_in: 0,
        tokens_out: 0,
      });
      clock.advance(1_000);
      await Promise.all(asked);
      await exchange(`${url}/v1/chat/completions`, { body: {} });
      expect(server.stats()).toEqual({
        concurrent: 0,
        max_concurrent_seen: 3,
        wedged: false,
        requests: { completed: 3, aborted: 0, failed: 1, faulted: 0 },
        tokens_in: 21,
        tokens_out: 15,
      });
      await exchange(`${url}/sim/reset`, { method: "POST" });
      expect(server.stats()).toMatchObject({ max_concurrent_seen: 0, requests: { completed: 0 }, tokens_in: 0 });
    });
  });

  test("counts a request from its headers on, and one whose body never comes as aborted", async () => {
    await withServer({}, async (server) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.write("POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{");
      await until(() => server.stats().concurrent === 1);
      socket.destroy();
      await until(() => server.stats().concurrent === 0);
      expect(server.stats().requests.aborted).toBe(1);
    });
  });
});

describe("a wedge", () => {
  test("comes with the 10th request, keeps all of them and /health says 200, until a reset", async () => {
    const clock = new VirtualClock();
    await withServer({ preset: "strix-halo-235b", clock }, async (server, url) => {
      const body = { ...CHAT, stream: true };
      const replies: number[] = [];
      const ask = (): void => {
        exchange(`${url}/v1/chat/completions`, { body }).then(
          (reply) => replies.push(reply.status),
          () => replies.push(0),
        );
      };
      for (let count = 0; count < 9; count++) ask();
      await until(() => server.engine.state.waiting === 9);
      expect(server.stats().wedged).toBe(false);
      ask();
      ask();
      await until(() => server.engine.state.waiting === 11);
      clock.advance(3_600_000);
      expect(server.stats()).toMatchObject({ wedged: true, concurrent: 11, tokens_out: 0 });
      expect(clock.pending).toBe(0);
      expect((await exchange(`${url}/health`)).text).toBe('{"status":"ok"}');
      expect((await exchange(`${url}/metrics`)).text).toContain('modelName="Simulated Strix Halo"} 100\n');
      await exchange(`${url}/sim/reset`, { method: "POST" });
      expect(server.stats().wedged).toBe(false);
      clock.runAll();
      await until(() => replies.length === 11);
      expect(replies.every((status) => status === 200)).toBe(true);
    });
  });

  test("outlasts the requests that made it", async () => {
    const clock = new VirtualClock();
    await withServer({ preset: "strix-halo-235b", clock }, async (server) => {
      const sockets = Array.from({ length: 10 }, () => connect(server.port, "127.0.0.1"));
      for (const socket of sockets)
        socket.write("POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n");
      await until(() => server.stats().wedged);
      for (const socket of sockets) socket.destroy();
      await until(() => server.stats().concurrent === 0);
      expect(server.stats().wedged).toBe(true);
    });
  });
});

describe("x-sim-fault", () => {
  const ask = (url: string, fault: string, stream = true) =>
    exchange(`${url}/v1/chat/completions`, { body: { ...CHAT, stream }, headers: { "x-sim-fault": fault } });

  test("status-500 and status-503 answer so", async () => {
    await withServer({}, async (server, url) => {
      expect((await ask(url, "status-500")).status).toBe(500);
      expect((await ask(url, "status-503")).status).toBe(503);
      expect(server.stats().requests).toEqual({ completed: 0, aborted: 0, failed: 0, faulted: 2 });
    });
  });

  test("reset-before-headers sends no byte", async () => {
    await withServer({}, async (server, url) => {
      await expect(ask(url, "reset-before-headers")).rejects.toThrow(/ECONNRESET|socket hang up/);
      expect(server.stats().requests.faulted).toBe(1);
    });
  });

  test.each(["reset-mid-stream", "close-mid-stream"])("%s breaks off an answer that has begun", async (fault) => {
    await withServer({}, async (server, url) => {
      const streamed = await ask(url, fault);
      expect(streamed).toMatchObject({ status: 200, ended: "cut" });
      expect(streamed.text.match(/"content":" ?\w+"/g)).toHaveLength(3);
      expect(streamed.text).not.toContain("[DONE]");
      const whole = await ask(url, fault, false);
      expect(whole).toMatchObject({ status: 200, ended: "cut" });
      expect(whole.text.startsWith('{"id":')).toBe(true);
      await until(() => server.stats().concurrent === 0);
      expect(server.stats().requests.faulted).toBe(2);
    });
  });

  test.each(["stall-before-headers", "stall-mid-stream"])(
    "%s holds the client until it leaves, but nothing of the engine",
    async (fault) => {
      await withServer({}, async (server) => {
        const body = JSON.stringify({ ...CHAT, stream: true });
        const socket = connect(server.port, "127.0.0.1");
        let received = "";
        socket.setEncoding("utf8").on("data", (text: string) => (received += text));
        socket.write(
          `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-sim-fault: ${fault}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
        if (fault === "stall-mid-stream") await until(() => received.includes("content"));
        else await until(() => server.stats().concurrent === 1);
        expect(received.includes("200 OK")).toBe(fault === "stall-mid-stream");
        expect(received).not.toContain("[DONE]");
        expect(server.stats()).toMatchObject({ concurrent: 1, requests: { faulted: 0 } });
        expect(server.engine.state).toMatchObject({ running: 0, waiting: 0, kvUsedTokens: 0 });
        socket.destroy();
        await until(() => server.stats().concurrent === 0);
        expect(server.stats().requests.faulted).toBe(1);
      });
    },
  );

  test("of an unknown name is refused with the list", async () => {
    await withServer({}, async (server, url) => {
      const reply = await ask(url, "explode");
      expect(reply.status).toBe(400);
      expect(reply.text).toContain("stall-mid-stream");
      expect(server.stats().requests.failed).toBe(1);
    });
  });
});

describe("/metrics", () => {
  test("is valid text with vLLM's and DCGM's names", async () => {
    const clock = new VirtualClock();
    await withServer({ preset: "nim-gpt-oss-20b", clock }, async (server, url) => {
      const asked = exchange(`${url}/v1/completions`, {
        body: { prompt: "one two three", max_tokens: 10, ignore_eos: true },
      });
      await until(() => server.engine.state.waiting === 1);
      clock.advance(1_000);
      await asked;
      const { text, headers } = await exchange(`${url}/metrics`);
      expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
      const typed = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1], match[2]]));
      const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      const isSample = (line: string): boolean => {
        const name = /^([A-Za-z_:][\w:]*)\{[^{}]+\} -?[\d.e+-]+$/.exec(line)?.[1];
        return typed.has(name) || typed.get(name?.replace(/_(bucket|sum|count)$/, "")) === "histogram";
      };
      expect(samples.filter((line) => !isSample(line))).toEqual([]);
      const labels = 'model_name="openai/gpt-oss-20b",engine="0"';
      expect(text).toContain(`vllm:generation_tokens_total{${labels}} 10\n`);
      expect(text).toContain(`vllm:prompt_tokens_total{${labels}} 3\n`);
      expect(text).toContain(`vllm:request_success_total{${labels},finished_reason="length"} 1\n`);
      expect(text).toContain(`vllm:time_to_first_token_seconds_bucket{${labels},le="0.04"} 1\n`);
      expect(text).toContain(`vllm:time_to_first_token_seconds_bucket{${labels},le="0.02"} 0\n`);
      expect(text).toContain(`vllm:inter_token_latency_seconds_count{${labels}} 9\n`);
      expect(text).toContain(`vllm:iteration_tokens_total_count{${labels}} 10\n`);
      expect([...typed.keys()].filter((name) => !name?.startsWith("vllm:"))).toEqual([
        "DCGM_FI_DEV_GPU_UTIL",
        "DCGM_FI_DEV_FB_USED",
        "DCGM_FI_DEV_FB_FREE",
        "DCGM_FI_DEV_POWER_USAGE",
        "nvidia_gpu_utilization",
      ]);
    });
  });
});

describe("headgate model", () => {
  test("runs a preset by its name, at a speed", async () => {
    const model = await runModel({ preset: "nim-gpt-oss-20b", port: 0, seed: 3, speed: 200 });
    try {
      expect(model.modelName).toBe("openai/gpt-oss-20b");
      const reply = await exchange(`${model.url}/v1/chat/completions`, { body: CHAT });
      expect(reply.status).toBe(200);
      expect(model.stats().requests.completed).toBe(1);
    } finally {
      await model.close();
    }
  });

  test("refuses an unknown preset and a port that is taken", async () => {
    await expect(runModel({ preset: "gpt-9", port: 0 })).rejects.toThrow(
      'preset must be one of nim-gpt-oss-20b, strix-halo-235b, strix-halo-235b-batch-256, instant, got "gpt-9"',
    );
    await withServer({}, async (server) => {
      await expect(runModel({ preset: "instant", port: server.port })).rejects.toThrow("EADDRINUSE");
    });
  });

  test("describes each preset in a line", () => {
    expect(describePresets().split("\n")).toHaveLength(4);
  });
});
