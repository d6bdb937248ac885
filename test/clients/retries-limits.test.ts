/** What the client libraries do by themselves when a limit refuses them: they come back once, and are answered. */
import { RateLimitError } from "openai";
import { afterEach, describe, expect, test, vi } from "vitest";

import type { Ms } from "../../src/core/units.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { ANTHROPIC, LANGCHAIN, type Library, OPENAI, watch } from "./retries-kit.ts";
import {
  ask,
  failureOf,
  type Gate,
  holdSeat,
  inFrontOf,
  openaiAt,
  openGate,
  until,
  useSimulatedModel,
} from "./support.ts";

const LIBRARIES: readonly (readonly [name: string, library: Library])[] = [
  [OPENAI.name, OPENAI],
  [ANTHROPIC.name, ANTHROPIC],
  [LANGCHAIN.name, LANGCHAIN],
];
/** Those that read `retry-after-ms`. */
const EXACT = LIBRARIES.filter(([, library]) => library !== LANGCHAIN);

/** Settings of a deployment, and for how long they make who has just used them up wait, to the millisecond. */
const CASES: readonly (readonly [what: string, settings: Readonly<Record<string, unknown>>, announced: Ms])[] = [
  ["requests per minute", { limits: { requests_per_minute: 6 } }, 10_000],
  ["requests per minute, no whole seconds apart", { limits: { requests_per_minute: 7 } }, 7_143],
  ["requests per minute, strict", { limits: { requests_per_minute: 1, strict: true } }, 60_000],
  ["requests per hour", { limits: { requests_per_hour: 120 } }, 30_000],
  ["two limits at once", { limits: { requests_per_second: 1, requests_per_minute: 6 } }, 10_000],
  ["tokens per minute", { limits: { tokens_per_minute: 60 } }, 8_000],
];

/** A pool that is above its threshold. Its refusals are spread over time. */
const SHARE = {
  capacity: { requests_per_minute: 12, utilization_threshold: "50%", burst: "1s", meter: "0s" },
};

const model = useSimulatedModel();
afterEach(() => vi.restoreAllMocks());

describe.each(LIBRARIES)("%s", (_, library) => {
  test.each(CASES)("is answered on its second try, at the announced time: %s", async (_what, settings, announced) => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), settings), clock);
    const served = await useUp(gate);
    const { fetch, tries, sleeps } = watch(library, { clock });
    await library.ask(gate, fetch);
    expect(tries).toEqual([429, 200]);
    expect(sleeps).toEqual([library === LANGCHAIN ? Math.ceil(announced / 1_000) * 1_000 : announced]);
    const { completed, ...refused } = gate.stats().outcomes;
    expect([completed, ...Object.values(refused)]).toEqual([served + 1, 2]);
  });

  test("is answered on its second try where it wants more than its share", async () => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), SHARE), clock);
    await useUp(gate);
    const { fetch, tries } = watch(library, { clock });
    await library.ask(gate, fetch);
    expect(tries).toEqual([429, 200]);
    expect(gate.stats().outcomes).toMatchObject({ capacity_reserved: 2 });
  });

  test("does not come back when the wait is longer than a minute", async () => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), { limits: { requests_per_hour: 4 } }), clock);
    await useUp(gate);
    const { fetch, tries } = watch(library, { clock });
    expect(await failureOf(library.ask(gate, fetch))).toMatchObject({
      status: 429,
      message: expect.stringMatching(/limit of 4 requests per hour .* Please try again in 900s\./),
    });
    expect(tries).toEqual([429]);
  });

  test("does not come back to a limit of 0", async () => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), { limits: { requests_per_day: 0 } }), clock);
    const { fetch, tries } = watch(library, { clock });
    expect(await failureOf(library.ask(gate, fetch))).toMatchObject({
      status: 429,
      message: expect.stringMatching(/limit of 0 requests per day blocks every request/),
    });
    expect(tries).toEqual([429]);
  });
});

describe.each(EXACT)("%s", (_, library) => {
  test.each(CASES)("is refused again a millisecond before that time: %s", async (_what, settings) => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), settings), clock);
    await useUp(gate);
    const { fetch, tries } = watch(library, { clock, short: 1 });
    expect(await failureOf(library.ask(gate, fetch))).toMatchObject({ status: 429 });
    expect(tries).toEqual([429, 429, 429]);
  });

  test("is answered on its second try once its other request is over", async () => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), { limits: { concurrent_requests: 1 } }), clock);
    const holder = await holdSeat(gate);
    const { fetch, tries, sleeps } = watch(library, {
      clock,
      refused: async () => {
        holder.abort();
        await until(() => gate.stats().in_flight === 0);
      },
    });
    await library.ask(gate, fetch);
    expect(tries).toEqual([429, 200]);
    expect(sleeps).toEqual([1_000]);
  });

  test("really sleeps a quarter of a second, comes back once, and is answered", async () => {
    const clock = new VirtualClock();
    await using gate = await openGate(inFrontOf(model(), { limits: { requests_per_second: 4 } }), clock);
    await openaiAt(gate).chat.completions.create(ask("any"));
    const tries: number[] = [];
    let told: Ms = 0;
    await library.ask(gate, async (input, init) => {
      clock.advance(told);
      const response = await fetch(input, init);
      tries.push(response.status);
      told = library.told(response.headers);
      return response;
    });
    expect(tries).toEqual([429, 200]);
    expect(clock.now()).toBe(250);
  });
});

/** Asks until something refuses. Gives how many were answered. */
async function useUp(gate: Gate): Promise<number> {
  const { completions } = openaiAt(gate).chat;
  for (let count = 0; count < 100; count++) {
    try {
      await completions.create(ask("any"));
    } catch (error) {
      if (error instanceof RateLimitError) return count;
      throw error;
    }
  }
  throw new Error("nothing was refused");
}
