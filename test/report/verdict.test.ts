import { describe, expect, it } from "vitest";

import type { Report } from "../../src/lab/report/types.ts";
import { alarmOf, judgedSides, verdictOf, verdictText } from "../../src/lab/report/verdict.ts";
import { quietReport, sampleReport } from "./sample.ts";

const two = sampleReport({ ungated: true });

describe("the verdict on a run", () => {
  it.each<[string, Report, string]>([
    ["passed where all checks hold", sampleReport(), "passed: all 7 checks hold"],
    ["that of the sides behind a gate", two, "passed: all 7 checks hold"],
    [
      "that of all sides where none has a gate",
      { ...two, sides: two.sides.slice(1) },
      "failed: 7 of 7 checks do not hold",
    ],
    ["failed where one does not", withOneFailure(sampleReport()), "failed: 1 of 7 checks does not hold"],
    ["nothing where nothing was asserted", quietReport(), "nothing was asserted"],
    [
      "invalid where the generator fell behind, whatever the checks say",
      { ...sampleReport(), validity: { valid: false, reasons: ["sent 812ms late", "loop 300ms late"] } },
      "INVALID: sent 812ms late; loop 300ms late",
    ],
  ])("is %s", (_, report, text) => {
    expect(verdictText(verdictOf(report))).toBe(text);
  });

  it("names the sides that it is about", () => {
    expect(judgedSides(two).map(({ name }) => name)).toEqual(["with the gate"]);
  });

  it("is accompanied by what went wrong with a side", () => {
    const [gated, wedged] = two.sides;
    const [quiet] = quietReport().sides;
    const alarms = [
      gated,
      wedged,
      quiet,
      wedged === undefined ? undefined : { ...wedged, cut_short: "the model's GPU wedged" },
    ].map((side) => (side === undefined ? undefined : alarmOf(side)));
    expect(alarms).toEqual([
      null,
      "GPU wedged in heavy overload",
      "ended early: every request failed",
      "GPU wedged in heavy overload, which ended the run",
    ]);
  });
});

function withOneFailure(report: Report): Report {
  const sides = report.sides.map((side) => ({
    ...side,
    checks: side.checks.map((check, index) => ({ ...check, ok: index !== 2 })),
  }));
  return { ...report, sides };
}
