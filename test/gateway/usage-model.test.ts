/** The meter's numbers against those of the simulated model, which counts for itself. */
import { describe, expect, test } from "vitest";

import { settlement } from "../../src/core/cost/settlement.ts";
import { createRandom } from "../../src/core/random.ts";
import { BackendCounter } from "../../src/gateway/usage/backend-count.ts";
import { until, withServer } from "../model/support.ts";
import { bodyOf, exchange, inParallel, type Path, PATHS, type Wish } from "./usage-exchange.ts";

function wishes(count: number, paths: readonly Path[], seed: number): readonly Wish[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const path = paths[index % paths.length] ?? "/v1/chat/completions";
    const prompt = `Tell ${index} about water. `.repeat(1 + Math.floor(40 * random() ** 2));
    return {
      path,
      body: bodyOf(path, prompt, index % (2 * paths.length) < paths.length, 20 + Math.floor(300 * random())),
    };
  });
}

describe("the meter", () => {
  test.each(["instant", "nim-gpt-oss-20b"] as const)("agrees with the model about 320 requests: %s", async (preset) => {
    await withServer({ preset, speed: 100 }, async (server, url) => {
      const answers = await inParallel(wishes(320, PATHS, 11), (wish) => exchange(url, wish));
      const sum = { input: 0, output: 0 };
      for (const { meter } of answers) {
        const result = meter.result();
        if (result.kind !== "reported") throw new Error(`${result.kind} where the backend reports`);
        sum.input += result.input ?? NaN;
        sum.output += result.output;
      }
      const { tokens_in: input, tokens_out: output } = server.stats();
      expect(sum).toEqual({ input, output });
    });
  });

  test("counts streams without a report by their chunks, within two of the truth and never above", async () => {
    await withServer({}, async (server, url) => {
      for (const path of ["/v1/chat/completions", "/v1/completions"] as const) {
        for (const most of [1, 2, 3, 50]) {
          server.reset();
          const { meter } = await exchange(url, { path, body: bodyOf(path, "x", true, most), asksUsage: false });
          const truth = server.stats().tokens_out;
          const result = meter.result();
          if (result.kind !== "counted") throw new Error(result.kind);
          expect(result.outputAtLeast).toBeLessThanOrEqual(truth);
          expect(result.outputAtLeast).toBeGreaterThanOrEqual(truth - 2);
        }
      }
    });
  });

  test("charges 84 clients that leave no less than the model generated, and less than was expected", async () => {
    const streams = PATHS.filter((path) => path !== "/v1/embeddings");
    const random = createRandom(12);
    const all: readonly Wish[] = Array.from({ length: 84 }, (_, round) => {
      const path = streams[round % streams.length] ?? "/v1/completions";
      const body = { ...bodyOf(path, `Leave ${round}`, true, 200), ignore_eos: true };
      return { path, body, leaveAt: 1 + Math.floor(12 * random()) };
    });
    await withServer({ preset: "nim-gpt-oss-20b", speed: 2 }, async (server, url) => {
      let charged = 0;
      for (const { meter, isCut } of await inParallel(all, (wish) => exchange(url, wish))) {
        charged += settlement({ input: 9, output: 200 }, meter.result(), isCut ? "cut" : "complete").output;
      }
      await until(() => server.stats().concurrent === 0);
      const { tokens_out: generated, requests } = server.stats();
      expect(requests.aborted).toBeGreaterThan(70);
      expect(charged).toBeGreaterThanOrEqual(generated);
      expect(charged).toBeLessThan((84 * 200) / 2);
    });
  });
});

describe("a client that did not ask for usage", () => {
  test.each(["/v1/chat/completions", "/v1/completions"] as const)(
    "sees the bytes that it would have seen: %s",
    async (path) => {
      await withServer({ preset: "nim-gpt-oss-20b", speed: 100 }, async (_server, url) => {
        const all = wishes(40, [path], 13).map((wish) => ({ ...wish, body: { ...wish.body, stream: true } }));
        const asked = await inParallel(all, (wish) => exchange(url, wish));
        const plain = await inParallel(all, (wish) => exchange(url, { ...wish, asksUsage: false }));
        expect(asked.map(({ seen }) => seen)).toEqual(plain.map(({ seen }) => seen));
        expect(new Set(asked.map(({ meter }) => meter.result().kind))).toEqual(new Set(["reported"]));
      });
    },
  );
});

describe("a backend's own count", () => {
  test("is what the model then counts", async () => {
    await withServer({}, async (_server, url) => {
      const counter = new BackendCounter(async (path, body) => {
        const reply = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
        return reply.ok ? reply.json() : undefined;
      });
      for (const path of ["/v1/chat/completions", "/v1/completions", "/v1/messages", "/completion"] as const) {
        const body = bodyOf(path, "How deep is the canal at its head?", false, 3);
        const result = (await exchange(url, { path, body })).meter.result();
        expect(result).toMatchObject({ kind: "reported", input: await counter.count({ ...body }) });
      }
    });
  });
});
