/* The driver on virtual time, against a server that follows a script. */
import { describe, expect, test } from "vitest";

import type { Arrivals } from "../../src/lab/scenario/types.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { loadOf, OK_HEAD, phaseOf, play, refused, scenarioOf, streamed } from "./kit.ts";

const SECOND = 1_000;
const constant = (perMinute: number): Arrivals => ({ kind: "constant", perMinute });
const workers = (steps: readonly number[], requests?: number, pauseMs = 0): Arrivals => ({
  kind: "workers",
  steps,
  requests,
  pauseMs,
});

describe("an open loop", () => {
  test("sends when requests are due, whatever becomes of those before", () => {
    const { door, visits } = play(scenarioOf([phaseOf([loadOf(constant(60))], 10 * SECOND)]), (clock) =>
      streamed(clock, { firstMs: 30 * SECOND }),
    );
    expect(door.asked.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((second) => second * SECOND));
    expect(visits.map(({ ending }) => ending)).toEqual(Array.from({ length: 10 }, () => "served"));
  });

  test("that was late sends at once what has become due, and counts latency from when that was", () => {
    // Between two looks at the clock nine seconds pass.
    class StallingClock extends VirtualClock {
      override after(delay: number, run: () => void): () => void {
        return super.after(delay === SECOND && this.now() === 3 * SECOND ? 9 * SECOND : delay, run);
      }
    }
    const { visits } = play(
      scenarioOf([phaseOf([loadOf(constant(60))], 15 * SECOND)]),
      (clock) => streamed(clock, { firstMs: 100, tokens: 1 }),
      { clock: new StallingClock() },
    );
    const late = visits.filter(({ sentAt }) => sentAt === 12 * SECOND);
    expect(late.map(({ dueAt }) => dueAt / SECOND)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(late.map(({ firstTokenAt, dueAt }) => firstTokenAt - dueAt)[0]).toBe(8_100);
  });

  test("sends the same requests at the same times for the same seed, and others for another", () => {
    const scenario = scenarioOf([phaseOf([loadOf({ kind: "poisson", perMinute: 600 })], 60 * SECOND)]);
    const times = (seed: number, script = 100): number[] =>
      play(scenario, (clock) => streamed(clock, { firstMs: script }), { seed }).door.asked.map(({ at }) => at);
    expect(times(1)).toEqual(times(1, 5_000));
    expect(times(1)).not.toEqual(times(2));
    expect(times(1).length).toBeGreaterThan(500);
  });
});

describe("a closed loop", () => {
  test("never has more open than it has workers, and asks again as soon as one is over", () => {
    const { door } = play(scenarioOf([phaseOf([loadOf(workers([3]))], 10 * SECOND)]), (clock) =>
      streamed(clock, { firstMs: SECOND, tokens: 1 }),
    );
    expect(door.mostOpen).toBe(3);
    expect(door.asked.length).toBe(30);
  });

  test("pauses between two requests where it is told to", () => {
    const { door } = play(scenarioOf([phaseOf([loadOf(workers([1], 3, 5 * SECOND))])]), (clock) =>
      streamed(clock, { firstMs: SECOND, tokens: 1 }),
    );
    expect(door.asked.map(({ at }) => at)).toEqual([0, 6 * SECOND, 12 * SECOND]);
  });

  test("takes its steps one after the other, each with its number of requests", () => {
    const { door, endedAt } = play(scenarioOf([phaseOf([loadOf(workers([1, 2, 16], 4))])]), (clock) =>
      streamed(clock, { firstMs: SECOND, tokens: 1 }),
    );
    expect(door.asked.map(({ at }) => at / SECOND)).toEqual([0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6]);
    expect(endedAt).toBe(7 * SECOND);
  });

  test("has the bursts of a burst one after the other, all requests of each at once", () => {
    const { door } = play(scenarioOf([phaseOf([loadOf({ kind: "burst", sizes: [5, 10, 50] })])]), (clock) =>
      streamed(clock, { firstMs: SECOND, tokens: 1 }),
    );
    expect(door.asked.length).toBe(65);
    expect(new Set(door.asked.map(({ at }) => at))).toEqual(new Set([0, SECOND, 2 * SECOND]));
    expect(door.mostOpen).toBe(50);
  });
});

test("a trace is sent as it was recorded: at its times, with its lengths", () => {
  const requests = [
    { atMs: 0, inputTokens: 10, outputTokens: 1 },
    { atMs: 1_500, inputTokens: 2_000, outputTokens: 3 },
  ];
  const { door } = play(scenarioOf([phaseOf([loadOf({ kind: "replay", requests })])]), (clock) => streamed(clock));
  expect(door.asked.map(({ at, question }) => [at, question.promptTokens, question.maxTokens])).toEqual([
    [0, 10, 1],
    [1_500, 2_000, 3],
  ]);
});

describe("phases", () => {
  test("follow each other, and requests that are open when one ends are read to their end", () => {
    const phases = [
      phaseOf([loadOf(constant(60))], 3_500, "first"),
      phaseOf([loadOf(constant(6))], 25 * SECOND, "second"),
    ];
    const { visits, phases: spans } = play(scenarioOf(phases), (clock) => streamed(clock, { firstMs: 5 * SECOND }));
    expect(spans).toEqual([
      { from: 0, to: 3_500 },
      { from: 3_500, to: 28_500 },
    ]);
    expect(visits.map(({ phase }) => phase)).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(visits.every(({ ending }) => ending === "served")).toBe(true);
  });

  test("without a duration last until their requests are over", () => {
    const phases = [
      phaseOf([loadOf(workers([2], 4))], undefined, "first"),
      phaseOf([loadOf(workers([1], 1))], undefined, "second"),
    ];
    const { phases: spans } = play(scenarioOf(phases), (clock) => streamed(clock, { firstMs: SECOND, tokens: 1 }));
    expect(spans).toEqual([
      { from: 0, to: 2 * SECOND },
      { from: 2 * SECOND, to: 3 * SECOND },
    ]);
  });

  test("let a load begin later", () => {
    const { door } = play(scenarioOf([phaseOf([loadOf(constant(60), {}, { fromMs: 5 * SECOND })], 7_500)]), (clock) =>
      streamed(clock),
    );
    expect(door.asked.map(({ at }) => at)).toEqual([5 * SECOND, 6 * SECOND, 7 * SECOND]);
  });

  test("end a run after its grace though a request is never answered, and leave nothing behind", () => {
    const { endedAt, visits, door, clock } = play(scenarioOf([phaseOf([loadOf(constant(60))], 2_500)]), () => () => {});
    expect(endedAt).toBe(62_500);
    expect(visits.map(({ ending }) => ending)).toEqual(["failed", "failed", "failed"]);
    expect([door.open, door.hungUp, clock.pending]).toEqual([0, 3, 0]);
  });
});

describe("clients", () => {
  const once = workers([1], 1);

  test("come back when they were told to, and their latency counts from the first attempt", () => {
    const { visits } = play(
      scenarioOf([phaseOf([loadOf(once, { retry: "polite" })])]),
      (clock) => (question, listener, number) =>
        (number < 3 ? refused(clock, 2_000) : streamed(clock, { firstMs: 100, tokens: 1 }))(question, listener),
    );
    expect(visits.map(({ attempt, ending, sentAt, dueAt }) => ({ attempt, ending, sentAt, dueAt }))).toEqual([
      { attempt: 1, ending: "refused", sentAt: 0, dueAt: 0 },
      { attempt: 2, ending: "refused", sentAt: 2_001, dueAt: 0 },
      { attempt: 3, ending: "served", sentAt: 4_002, dueAt: 0 },
    ]);
    expect(new Set(visits.map(({ task }) => task)).size).toBe(1);
  });

  test("that wait to come back do so no more once their phase is over", () => {
    const { door, endedAt } = play(scenarioOf([phaseOf([loadOf(once, { retry: "polite" })], 5 * SECOND)]), (clock) =>
      refused(clock, 3_000),
    );
    expect(door.asked.length).toBe(2);
    expect(endedAt).toBe(5 * SECOND);
  });

  test("hang up when they have lost their patience", () => {
    const { visits, door } = play(scenarioOf([phaseOf([loadOf(once, { patienceMs: 3 * SECOND })])]), () => () => {});
    expect(visits.map(({ ending, endAt }) => [ending, endAt])).toEqual([["gave_up", 3 * SECOND]]);
    expect(door.hungUp).toBe(1);
  });

  test("hang up on purpose where they are told to", () => {
    const abort = { fraction: 0.5, afterMs: { from: 50, to: 80 } };
    const { visits, door, clock } = play(
      scenarioOf([phaseOf([loadOf(constant(6_000), { abort })], 10 * SECOND)]),
      (clock) => streamed(clock, { firstMs: 100 }),
    );
    const aborted = visits.filter(({ ending }) => ending === "aborted");
    expect(aborted.length / visits.length).toBeCloseTo(0.5, 1);
    expect(aborted.every(({ sentAt, endAt }) => endAt - sentAt >= 50 && endAt - sentAt <= 80)).toBe(true);
    expect([door.hungUp, clock.pending]).toEqual([aborted.length, 0]);
  });

  test.each([204, 302, 404, 500])("that are answered with %i are not served", (status) => {
    const { visits } = play(scenarioOf([phaseOf([loadOf(once, { retry: "none" })])]), (clock) => (_, listener) => {
      clock.after(10, () => listener.began({ ...OK_HEAD, status }));
      clock.after(10, () => listener.ended({ kind: "complete", inputTokens: undefined, outputTokens: undefined }));
    });
    expect(visits.map(({ ending }) => ending)).toEqual(["failed"]);
  });

  test("that need no time at all do not stop time", () => {
    const { door, endedAt } = play(scenarioOf([phaseOf([loadOf(workers([2]))], 10)]), () => (question, listener) => {
      listener.began(OK_HEAD);
      listener.content(1);
      listener.ended({ kind: "complete", inputTokens: question.promptTokens, outputTokens: 1 });
    });
    expect(door.asked.length).toBe(20);
    expect(endedAt).toBe(10);
  });

  test("that see a stream cut have no whole answer", () => {
    const { visits } = play(scenarioOf([phaseOf([loadOf(once)])]), (clock) => (_, listener) => {
      clock.after(10, () => listener.began(OK_HEAD));
      clock.after(20, () => listener.content(2));
      clock.after(30, () => listener.ended({ kind: "incomplete" }));
    });
    expect(visits.map(({ ending, outputTokens }) => [ending, outputTokens])).toEqual([["incomplete", 2]]);
  });

  test("hear pieces that came together without a gap between them", () => {
    const { gaps } = play(scenarioOf([phaseOf([loadOf(once)])]), (clock) => (_, listener) => {
      clock.after(5, () => listener.began(OK_HEAD));
      clock.after(10, () => listener.content(2));
      clock.after(25, () => listener.content(3));
      clock.after(25, () => listener.ended({ kind: "complete", inputTokens: 1, outputTokens: 5 }));
    });
    expect(gaps).toEqual([0, 15, 0, 0]);
  });
});
