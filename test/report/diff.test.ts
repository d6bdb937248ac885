import { describe, expect, it } from "vitest";

import { diffReports, formatDiff } from "../../src/lab/report/diff/index.ts";
import type { Figures, Report } from "../../src/lab/report/types.ts";
import { percentiles } from "./sample-figures.ts";
import { PLAIN } from "./palette.ts";
import { sampleReport } from "./sample.ts";

const before = sampleReport();

/** The same report with other figures of all together. */
function withTotal(change: Partial<Figures>): Report {
  return { ...before, sides: before.sides.map((side) => ({ ...side, total: { ...side.total, ...change } })) };
}

describe("the difference of two reports", () => {
  it("is none between a report and itself", () => {
    const diff = diffReports(before, before);
    expect(diff.differences).toEqual([]);
    expect(diff.warnings).toEqual([]);
    expect(diff.compared).toBeGreaterThan(500);
  });

  it.each<[string, Partial<Figures>, string]>([
    ["a higher success", { success: 0.2 }, "success better"],
    ["a lower success", { success: 0.1 }, "success worse"],
    ["a lower floor", { floor: 0.9 }, "floor worse"],
    ["a fuller window above the capacity", { fullest: 1.2 }, "fullest worse"],
    ["a lower latency", { ttft_ms: percentiles(15_000, 20) }, "TTFT p50 better, TTFT p99 better"],
    ["a higher latency", { e2e_ms: percentiles(15_000, 1_500) }, "e2e p50 worse, e2e p99 worse"],
    ["one failure", { failed: 1 }, "failed worse"],
    ["a refusal that does not say when to come back", { without_retry_after: 1 }, "without retry-after worse"],
    ["more tokens out", { tokens_out_per_s: 9_999 }, "tokens out/s better"],
    ["more that were sent", { sent: 200_000 }, "sent changed"],
  ])("is judged: %s", (_, change, expected) => {
    const { differences } = diffReports(before, withTotal(change));
    expect(differences.map(({ metric, judgement }) => `${metric} ${judgement}`).join(", ")).toBe(expected);
  });

  it.each<[string, Partial<Figures>]>([
    ["ratios within half a point", { success: (before.sides[0]?.total.success ?? 0) + 0.004 }],
    ["times within 5 %", { ttft_ms: percentiles(15_000, 36 * 1.04) }],
    ["times within a millisecond", { queue_ms: percentiles(15_000, 0.22, 20) }],
    ["times of too few answers", { ttft_ms: percentiles(19, 500) }],
    ["a few more that were sent", { sent: (before.sides[0]?.total.sent ?? 0) + 100 }],
    ["what is unknown in one of them", { goodput: null }],
  ])("is silent about noise: %s", (_, change) => {
    expect(diffReports(before, withTotal(change)).differences).toEqual([]);
  });

  it("takes the noise that it is told", () => {
    const after = withTotal({ success: (before.sides[0]?.total.success ?? 0) + 0.004 });
    expect(diffReports(before, after, { relative: 0, points: 0.001, ms: 0 }).differences).toHaveLength(1);
  });

  it("says what cannot be compared", () => {
    const after = sampleReport({ seed: 8, ungated: true, names: ["agent-a", "agent-b", "agent-c", "someone"] });
    const first = { ...sampleReport({ ungated: true }), validity: { valid: false, reasons: ["late"] } };
    expect(diffReports(first, after).warnings).toEqual([
      "seed differs: 7 and 8",
      "the first run is invalid: its generator did not keep up",
      "consumers in the first only: dev",
      "consumers in the second only: someone",
    ]);
    expect(diffReports(before, first).warnings).toEqual([
      "the second run is invalid: its generator did not keep up",
      "sides in the second only: without the gate",
    ]);
  });

  it("is written as tables of at most 100 columns", () => {
    const after = withTotal({ success: 0.5, failed: 3, ttft_ms: percentiles(15_000, 72), refused: 50_000 });
    const text = formatDiff(diffReports(before, { ...after, scenario: { ...after.scenario, speed: 1 } }), PLAIN);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toMatchInlineSnapshot(`
      "warning: speed differs: 4 and 1

      Worse (3)
      phase      consumer  metric    first  second   change
      whole run  all       failed        0       3        –  worse
      whole run  all       TTFT p50   36ms    72ms  +100.0%  worse
      whole run  all       TTFT p99   58ms   115ms  +100.0%  worse

      Better (1)
      phase      consumer  metric   first  second     change
      whole run  all       success  14.6%     50%  +35.4 pts  better

      Changed (1)
      phase      consumer  metric    first  second  change
      whole run  all       refused  92,239  50,000  −45.8%

      3 worse, 1 better, 1 changed
      671 figures compared; noise: below 5%, ratios below 0.5 points, times below 1ms"
    `);
  });

  it("says so where there is none", () => {
    expect(formatDiff(diffReports(before, before), PLAIN)).toMatchInlineSnapshot(`
      "no difference beyond noise
      671 figures compared; noise: below 5%, ratios below 0.5 points, times below 1ms"
    `);
  });
});
