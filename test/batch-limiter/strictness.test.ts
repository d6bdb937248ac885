/**
 * Which cells are covered. The limiter's guard is 50 ms, so requests may take up to 50 ms more than others to the server:
 * all cells of jitter 0, 5 and 50 are. A server that holds a bucket of one request (GCRA b=1) wants half a second between
 * any two; 2/s alone lets two out at once, so there the limit has to say `burst 1`, which takes the guard from each gap.
 */
import { describe, expect, test } from "vitest";

import { ArticleBucket } from "../../bench/batch/limiters/article-bucket.ts";
import type { Ms } from "../../src/core/units.ts";
import type { WindowKind } from "../../src/lab/model/limit/types.ts";
import { type Play, playLimiter, playTurns, type Sight } from "./support/client.ts";
import { type Scenario, SCENARIOS } from "./support/scenarios.ts";

const GUARD: Ms = 50;
const WINDOW: Ms = 1_000;
/** Timers are not finer. */
const TICK: Ms = 1;
const JITTERS: readonly Ms[] = [0, 5, 50];
/** An answer ends the guard of its request; those of a model come long after it. */
const ANSWERS: readonly Ms[] = [0, 3_000];
const SEEDS = [1, 2, 3, 4, 5];

const SERVERS: readonly { readonly name: string; readonly windows: readonly WindowKind[]; readonly limit: string }[] = [
  { name: "first-hit fixed", windows: [{ kind: "first-hit" }], limit: "2/s" },
  {
    name: "aligned fixed",
    windows: [0, 1, 333, 500, 999].map((phaseMs) => ({ kind: "aligned", phaseMs })),
    limit: "2/s",
  },
  { name: "sliding log", windows: [{ kind: "sliding" }], limit: "2/s" },
  { name: "GCRA b=1", windows: [{ kind: "gcra", burst: 1 }], limit: "2/s burst 1" },
  { name: "GCRA b=N", windows: [{ kind: "gcra", burst: 2 }], limit: "2/s" },
];

/** Every combination of the windows of a server and the seeds. */
function plays(windows: readonly WindowKind[], scenario: Scenario, jitterMs: Ms): readonly Play[] {
  return windows.flatMap((window) =>
    SEEDS.flatMap((seed) => ANSWERS.map((answerMs) => ({ scenario, window, jitterMs, answerMs, seed }))),
  );
}

/** The last send of the earliest schedule without a guard: two per window, or one per half window. */
function optimum({ asks, awake }: Scenario, limit: string): Ms {
  const [back, gap] = limit.endsWith("burst 1") ? [1, WINDOW / 2] : [2, WINDOW];
  const sends: Ms[] = [];
  for (const ask of asks) {
    sends.push(awake(Math.max(ask, sends.at(-1) ?? 0, (sends.at(-back) ?? -Infinity) + gap)));
  }
  return sends.at(-1) ?? 0;
}

/** How much longer the law allows it to take. */
function allowance(limit: string): number {
  return 1 + (limit.endsWith("burst 1") ? (2 * GUARD) / WINDOW : GUARD / WINDOW);
}

describe.each(SERVERS)("in front of a server that counts by $name", ({ windows, limit }) => {
  describe.each(SCENARIOS)("$name", (scenario) => {
    test.each(JITTERS)(
      "with a jitter of %d ms nothing is refused, and it takes no longer than it must",
      async (jitter) => {
        for (const play of plays(windows, scenario, jitter)) {
          const sight = await playLimiter(play, { limits: [limit] });
          expect(sight).toMatchObject({ violations: 0, served: scenario.asks.length });
          expect(sight.worstInAnyWindow).toBeLessThanOrEqual(2);
          expect(sight.sends.at(-1)).toBeLessThanOrEqual(latest(scenario, limit, sight));
        }
      },
    );
  });
});

/** After an outage requests come back one after the other, so what is left takes a window for every two. */
function latest(scenario: Scenario, limit: string, { sends, pausedUntil }: Sight): Ms {
  if (scenario.outageUntil === 0) return optimum(scenario, limit) * allowance(limit) + TICK;
  const left = sends.filter((at) => at >= pausedUntil).length;
  // The guard has been raised by refusals that nothing explains: a quarter of the window at most.
  return pausedUntil + left * (WINDOW / 2 + WINDOW / 4) + TICK;
}

describe("where nothing covers the jitter", () => {
  const [steady, idle] = SCENARIOS;

  test.each(["first-hit fixed", "sliding log"])("a guard of 0 lets requests be refused by %s", async (name) => {
    const windows = SERVERS.find((server) => server.name === name)?.windows ?? [];
    let violations = 0;
    for (const play of plays(windows, steady ?? fail(), 50)) {
      violations += (await playLimiter(play, { limits: ["2/s"], guardMs: 0 })).violations;
    }
    expect(violations).toBeGreaterThan(0);
  });

  test("2/s without its burst is refused by a bucket of one", async () => {
    const all = plays([{ kind: "gcra", burst: 1 }], steady ?? fail(), 0);
    expect(all).not.toHaveLength(0);
    for (const one of all) {
      expect((await playLimiter(one, { limits: ["2/s"] })).violations).toBeGreaterThan(0);
    }
  });

  test("the article's token bucket sends three in half a second after an idle gap, and is caught", async () => {
    for (const window of [{ kind: "sliding" }, { kind: "first-hit" }] as const) {
      const scenario: Scenario = { ...(idle ?? fail()), asks: [0, ...Array.from({ length: 6 }, () => 3_000)] };
      const sight = await playTurns({ scenario, window, jitterMs: 0, answerMs: 0, seed: 1 }, (clock) => {
        const bucket = new ArticleBucket({ perSecond: 2, capacity: 2, clock });
        return () => bucket.take();
      });
      expect(sight.worstInAnyWindow).toBe(3);
      expect(sight.violations).toBeGreaterThan(0);
    }
  });

  test("the article's token bucket is caught without any gap, by a server that counts from the first hit, once there is jitter", async () => {
    const take = async (seed: number): Promise<number> => {
      const play = {
        scenario: steady ?? fail(),
        window: { kind: "first-hit" },
        jitterMs: 5,
        answerMs: 0,
        seed,
      } as const;
      const sight = await playTurns(play, (clock) => {
        const bucket = new ArticleBucket({ perSecond: 2, capacity: 2, clock });
        return () => bucket.take();
      });
      return sight.violations;
    };
    const violations = await Promise.all(SEEDS.map(take));
    expect(Math.max(...violations)).toBeGreaterThan(0);
  });
});

function fail(): never {
  throw new Error("no such scenario");
}
