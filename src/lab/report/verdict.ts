import type { Report, Side } from "./types.ts";

/** What became of a run. Where the generator could not keep up nothing else counts. */
export type ReportVerdict =
  | { readonly kind: "invalid"; readonly reasons: readonly string[] }
  | { readonly kind: "failed"; readonly failed: number; readonly of: number }
  | { readonly kind: "passed"; readonly of: number }
  | { readonly kind: "unchecked" };

/**
 * The verdict over the checks of the judged sides. Without a single check there is nothing to pass: `unchecked`.
 */
export function verdictOf(report: Report): ReportVerdict {
  if (!report.validity.valid) return { kind: "invalid", reasons: report.validity.reasons };
  const checks = judgedSides(report).flatMap((side) => side.checks);
  const failed = checks.filter((check) => !check.ok).length;
  if (checks.length === 0) return { kind: "unchecked" };
  return failed === 0 ? { kind: "passed", of: checks.length } : { kind: "failed", failed, of: checks.length };
}

/**
 * The sides whose checks make the verdict: those behind a gate, or all where none has one. A side without the gate beside
 * one with it is there to be compared, and may fail.
 */
export function judgedSides(report: Report): readonly Side[] {
  const gated = report.sides.filter((side) => side.seats !== null);
  return gated.length === 0 ? report.sides : gated;
}

/** The verdict in words: `passed: all 23 checks hold`. */
export function verdictText(verdict: ReportVerdict): string {
  switch (verdict.kind) {
    case "invalid":
      return `INVALID: ${verdict.reasons.join("; ")}`;
    case "failed":
      return `failed: ${verdict.failed} of ${verdict.of} checks ${verdict.failed === 1 ? "does" : "do"} not hold`;
    case "passed":
      return verdict.of === 1 ? "passed: its one check holds" : `passed: all ${verdict.of} checks hold`;
    case "unchecked":
      return "nothing was asserted";
  }
}

/** What went wrong with a side as a whole, in words; null where nothing did. */
export function alarmOf(side: Side): string | null {
  const wedge = wedgeText(side);
  if (side.cut_short === null) return wedge;
  return wedge === null ? `ended early: ${side.cut_short}` : `${wedge}, which ended the run`;
}

/** That a side's GPU wedged, in words: `GPU wedged in bursts`; null where it stayed well or was not seen. */
export function wedgeText(side: Side): string | null {
  const phase = side.phases.find(({ model }) => model?.wedged === true);
  if (phase !== undefined) return `GPU wedged in ${phase.name}`;
  return side.model?.wedged === true ? "GPU wedged" : null;
}
