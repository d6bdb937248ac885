import { describe, expect, test } from "vitest";

import { VirtualClock } from "../../testing/virtual-clock.ts";
import { doubts, LagWatch } from "./lag.ts";

/** Time stands still for whoever waits: the next call after a stall comes late. */
class StallingClock extends VirtualClock {
  #stall = 0;

  stallBy(ms: number): void {
    this.#stall = ms;
  }

  override after(delay: number, run: () => void): () => void {
    const late = this.#stall;
    this.#stall = 0;
    return super.after(delay + late, run);
  }
}

function watched(work: (clock: StallingClock) => void): LagWatch {
  const clock = new StallingClock();
  const watch = new LagWatch(clock, 1);
  watch.start();
  work(clock);
  watch.stop();
  expect(clock.pending).toBe(0);
  return watch;
}

describe("a generator", () => {
  test("that is in time has no doubts about itself", () => {
    const watch = watched((clock) => clock.advance(60_000));
    expect(watch.loopLag.max).toBeLessThanOrEqual(0.001);
    expect(doubts(watch.sendLag, watch.loopLag)).toEqual([]);
  });

  test("that stalled for two of sixty seconds cannot be trusted: every tick that the stall swallowed counts", () => {
    const watch = watched((clock) => {
      clock.advance(30_000);
      clock.stallBy(2_000);
      clock.advance(30_000);
    });
    expect(watch.loopLag.p99).toBeGreaterThan(1_000);
    expect(doubts(watch.sendLag, watch.loopLag)).toEqual([
      expect.stringMatching(/^the generator could not keep up: it read answers \d+ ms late/),
    ]);
  });

  test("measures in real time how late it sends, though its scenario runs faster", () => {
    const watch = new LagWatch(new VirtualClock(), 4);
    watch.sent({ sentAt: 1_400, plannedAt: 1_000 } as Parameters<LagWatch["sent"]>[0]);
    expect(watch.sendLag.max).toBeCloseTo(100, 1);
  });
});
