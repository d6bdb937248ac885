/**
 * What a request is charged against what the model itself says that it generated: 520 random requests one by one, and 480
 * at once. Where the backend reports, the two are the same. Where the client left, the output that is charged is never less,
 * as long as an answer stays within what the gate expects of it: its own bound, or 256 tokens for a new consumer.
 */
import { describe, expect, test } from "vitest";

import { createRandom } from "../../src/core/random.ts";
import { createModelServer } from "../../src/lab/model/server.ts";
import { askDirectly, drawErrand, type Errand, type Receipt, startCounter } from "./tokens-kit.ts";
import { bodyOf, PATHS } from "./usage-exchange.ts";

const EACH = 65;
const STREAMS = PATHS.filter((path) => path !== "/v1/embeddings");

describe.each(PATHS)(`${EACH} requests to %s`, (path) => {
  test("are charged as the backend counts, and seen as without the gate", async () => {
    const random = createRandom(PATHS.indexOf(path) + 31);
    const twin = createModelServer({ preset: "nim-gpt-oss-20b", speed: 1_000 });
    await twin.listen();
    const counter = await startCounter(EACH);
    const receipts: (Receipt & { readonly errand: Errand })[] = [];
    for (let index = 0; index < EACH; index++) {
      const errand = drawErrand(random, path);
      const receipt = await counter.run(errand, index);
      receipts.push({ ...receipt, errand });
      const direct = await askDirectly(twin, errand);
      expect(receipt.seen).toBe(receipt.left ? direct.slice(0, receipt.seen.length) : direct);
    }
    await twin.close();
    const stayed = receipts.filter(({ left }) => !left);
    expect(stayed.filter(({ charged, generated }) => charged.input !== generated.input)).toEqual([]);
    expect(stayed.filter(({ charged, generated }) => charged.output !== generated.output)).toEqual([]);
    const left = receipts.filter((receipt) => receipt.left);
    expect(left.filter(({ charged, generated }) => charged.output < generated.output)).toEqual([]);
    expect(left.length).toBeGreaterThan(path === "/v1/embeddings" ? -1 : 10);
  });
});

test("480 requests of all surfaces at once are charged what the backend counts, together", async () => {
  const random = createRandom(41);
  const counter = await startCounter(480);
  for (let first = 0; first < 480; first += 40) {
    const errands = Array.from({ length: 40 }, (_, place) => {
      return { ...drawErrand(random, PATHS[place % PATHS.length] ?? "/v1/messages"), leaveAt: undefined };
    });
    await counter.runTogether(errands, first);
  }
  const charged = { input: 0, output: 0 };
  for (let consumer = 0; consumer < 480; consumer++) {
    const { input, output } = counter.chargedTo(consumer);
    charged.input += input;
    charged.output += output;
  }
  const { tokens_in: input, tokens_out: output, requests } = counter.model.stats();
  expect(charged).toEqual({ input, output });
  expect(requests).toEqual({ completed: 480, aborted: 0, failed: 0, faulted: 0 });
});

test("a backend that is drained after its client left is charged what it reports in the end", async () => {
  const random = createRandom(51);
  const counter = await startCounter(70, { onClientDisconnect: "drain" });
  let count = 0;
  for (let index = 0; index < 70; index++) {
    const path = STREAMS[index % STREAMS.length] ?? "/v1/messages";
    const { charged, generated, left } = await counter.run({ ...drawErrand(random, path), leaveAt: 2 }, index);
    expect(charged).toEqual(generated);
    if (left) count += 1;
  }
  expect(count).toBeGreaterThan(50);
});

test("a stream that goes on for longer than expected costs all that came before its client left", async () => {
  const random = createRandom(61);
  const counter = await startCounter(STREAMS.length);
  for (const [consumer, path] of STREAMS.entries()) {
    const errand = (most: number, leaveAt?: number): Errand => {
      const body = { ...bodyOf(path, `Tell ${most} about water.`, true, most), ignore_eos: true };
      return { path, body, leaveAt, lag: Math.floor(13 * random()) };
    };
    // The gate comes to expect ten tokens or so.
    for (let count = 0; count < 30; count++) await counter.run(errand(10), consumer);
    for (const leaveAt of [20, 50, 150, 300]) {
      const cut = errand(400, leaveAt);
      const { charged, generated } = await counter.run(cut, consumer);
      expect(charged.output).toBeGreaterThanOrEqual(generated.output);
    }
  }
});
