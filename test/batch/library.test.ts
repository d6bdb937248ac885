import type OpenAI from "openai";
import { describe, expect, it } from "vitest";

import { BatchStoppedError, type BatchRequest, type RowResult, runBatch } from "../../src/batch/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { type Reply, startServer, until, whileMoving } from "./kit.ts";

function requests(count: number): readonly BatchRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    customId: `row ${index}`,
    url: "/v1/chat/completions",
    body: { model: "m", messages: [{ role: "user", content: `row ${index}` }] },
  }));
}

async function collect(results: AsyncIterable<RowResult>): Promise<readonly RowResult[]> {
  const all: RowResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe("runBatch", () => {
  it("yields a result for every row, failures among them", async () => {
    const server = await startServer(({ name }) => (name === "row 2" ? { status: 404, body: {} } : {}));
    const batch = runBatch({ rows: requests(5), url: server.url });
    const results = await collect(batch);
    expect(results.map(({ kind }) => kind).sort()).toEqual(["answered", "answered", "answered", "answered", "failed"]);
    const [first] = results;
    if (first?.kind !== "answered") throw new Error("the first failed");
    const body = first.answer.body as OpenAI.ChatCompletion;
    expect(body.choices[0]?.message.content).toBe(`about ${first.row.customId}`);
    expect(batch.progress()).toMatchObject({ total: 5, answered: 4, failed: 1, inFlight: 0 });
  });

  it("takes rows from a generator without reading it ahead of what it sends", async () => {
    let made = 0;
    const source = async function* (): AsyncGenerator<BatchRequest> {
      for (const request of requests(1_000)) {
        made += 1;
        yield request;
      }
    };
    const held: (() => void)[] = [];
    const server = await startServer(() => new Promise<Reply>((resolve) => held.push(() => resolve({}))));
    const ended = collect(runBatch({ rows: source(), url: server.url, concurrency: 3 }));
    await until(() => held.length === 3);
    // One waits for the concurrency.
    expect(made).toBe(4);
    void until(() => {
      for (const answer of held.splice(0)) answer();
      return server.calls.length === 1_000 && held.length === 0 && server.open === 0;
    });
    expect(await ended).toHaveLength(1_000);
  });

  it("throws where going on is of no use", async () => {
    const server = await startServer(() => ({ status: 401, body: {} }));
    const failed = collect(runBatch({ rows: requests(5), url: server.url }));
    await expect(failed).rejects.toThrow(BatchStoppedError);
    await expect(failed).rejects.toMatchObject({ why: "unauthorized" });
  });

  it("throws the signal's reason, and gives up what is in flight", async () => {
    const server = await startServer(() => new Promise<Reply>(() => {}));
    const abort = new AbortController();
    const ended = collect(runBatch({ rows: requests(5), url: server.url, signal: abort.signal }));
    await until(() => server.calls.length === 5);
    abort.abort(new Error("enough"));
    await expect(ended).rejects.toThrow("enough");
    await until(() => server.open === 0);
  });

  it("gives up what is in flight where its reader leaves", async () => {
    const server = await startServer(({ name }) => (name === "row 0" ? {} : new Promise<Reply>(() => {})));
    for await (const result of runBatch({ rows: requests(5), url: server.url })) {
      expect(result.row.customId).toBe("row 0");
      break;
    }
    await until(() => server.open === 0);
  });

  it("throws the error of its rows, after the results of those before", async () => {
    const server = await startServer();
    const source = async function* (): AsyncGenerator<BatchRequest> {
      yield* requests(2);
      throw new Error("the database is gone");
    };
    const seen: RowResult[] = [];
    const reading = (async () => {
      for await (const result of runBatch({ rows: source(), url: server.url })) seen.push(result);
    })();
    await expect(reading).rejects.toThrow("the database is gone");
    expect(seen).toHaveLength(2);
  });

  it.each([
    [null, "rows[2] must be an object with customId, url and body"],
    [{ url: "/v1/x", body: {} }, "rows[2].customId must be a string, not empty"],
    [{ customId: "row 0", url: "/v1/x", body: {} }, 'rows[2].customId must be unique, "row 0" was there before'],
    [{ customId: "a", url: "http://else.where", body: {} }, "rows[2].url must be the path of an endpoint"],
    [{ customId: "a", url: "/v1/x" }, "rows[2].body must be an object"],
    [{ customId: "a", url: "/v1/x", body: { stream: true } }, "rows[2].body.stream must be left out"],
  ])("throws for a row that is none, %j, after the results of those before", async (broken, message) => {
    const server = await startServer();
    // Whoever has no types can write anything.
    const rows: readonly BatchRequest[] = JSON.parse(JSON.stringify([...requests(2), broken, ...requests(1)]));
    const seen: RowResult[] = [];
    const reading = (async () => {
      for await (const result of runBatch({ rows, url: server.url })) seen.push(result);
    })();
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(RangeError);
    expect(seen).toHaveLength(2);
  });

  it.each([undefined, null, 5, "rows", {}])("has no rows in %j", (rows) => {
    const options = Object.assign({ rows: requests(0), url: "http://h" }, { rows });
    expect(() => runBatch(options)).toThrow("rows must be a list");
  });

  it("sends no more while nobody reads", async () => {
    const server = await startServer();
    const results = runBatch({ rows: requests(3_000), url: server.url })[Symbol.asyncIterator]();
    await results.next();
    await until(() => server.calls.length >= 1_000 && server.open === 0);
    expect(server.calls.length).toBeLessThan(2_200);
    await results.return?.();
  });

  it("tells what it does, and leaves no timer behind", async () => {
    const clock = new VirtualClock();
    const heard: string[] = [];
    const server = await startServer(({ name, time }) => {
      if (name !== "row 1" || time > 2) return {};
      return time === 1 ? { status: 500 } : { status: 429, headers: { "retry-after": "2" } };
    });
    const batch = runBatch({
      rows: requests(2),
      url: server.url,
      clock,
      random: () => 0.5,
      limits: ["100/s"],
      concurrency: 1,
      listener: {
        sent: ({ customId }, attempt) => heard.push(`sent ${customId} #${attempt}`),
        retrying: ({ row, cause, delayMs }) => heard.push(`${row.customId}: ${cause}, ${Math.round(delayMs)} ms`),
        paused: ({ reason, retryAfterMs }) => heard.push(`paused: ${reason}, ${retryAfterMs}`),
        finished: ({ kind, row }) => heard.push(`${kind} ${row.customId}`),
      },
    });
    await whileMoving(clock, collect(batch));
    expect(heard).toEqual([
      "sent row 0 #1",
      "answered row 0",
      "sent row 1 #1",
      "row 1: server_error, 250 ms",
      "sent row 1 #2",
      "paused: rate_limited, 2000",
      "row 1: rate_limited, 2150 ms",
      "sent row 1 #2",
      "answered row 1",
    ]);
    expect(clock.pending).toBe(0);
  });

  it.each([
    [{ url: "ftp://x" }, "url must begin with"],
    [{ url: "http://h", limits: ["fast"] }, "a limit must be"],
    [{ url: "http://h", maxCost: 1 }, "maxCost needs a price"],
    [{ url: "http://h", maxFailures: -1 }, "maxFailures must be a whole number from 0"],
    [{ url: "http://h", apiKey: "key\n" }, "apiKey must not hold a line end"],
    [{ url: "http://h/v1/chat/completions" }, "http://h/v1"],
  ])("refuses %j", (options, message) => {
    expect(() => runBatch({ rows: [], ...options })).toThrow(message);
  });
});
