import { NO_TIMES } from "../measure/histogram.ts";
import { doubts } from "../measure/lag.ts";
import type { Scenario } from "../scenario/types.ts";
import type { Percentiles, Report, Side } from "./types.ts";

/** How late the generator was with one side. */
export interface Lags {
  readonly sendLag: Percentiles;
  readonly loopLag: Percentiles;
}

/** All that a report is made of. */
export interface ReportParts {
  readonly scenario: Scenario;
  readonly version: string;
  /** ISO 8601. */
  readonly started: string;
  readonly mode: Report["scenario"]["mode"];
  /** Where the load went, in words. */
  readonly target: string;
  readonly seed: number;
  readonly speed: number;
  /** At least one; one pair of lags for each. */
  readonly sides: readonly Side[];
  readonly lags: readonly Lags[];
}

/** Puts a report together. */
export function reportOf({ scenario, version, started, mode, target, seed, speed, sides, lags }: ReportParts): Report {
  const { name, description, windowMs, slo } = scenario;
  const reasons = lags.flatMap(({ sendLag, loopLag }, index) => {
    const where = sides.length > 1 ? `${sides[index]?.name ?? ""}: ` : "";
    return doubts(sendLag, loopLag).map((doubt) => `${where}${doubt}`);
  });
  const worst = (lagsOf: (lags: Lags) => Percentiles): Percentiles =>
    lags
      .map(lagsOf)
      .reduce((worst, next) => ((next.p99 ?? 0) > (worst.p99 ?? 0) ? next : worst), lagsOf(lags[0] ?? NO_LAGS));
  return {
    format: "headgate.load/1",
    headgate: version,
    started,
    scenario: {
      name,
      description,
      mode,
      target,
      seed,
      speed,
      window_s: windowMs / 1_000,
      slo: { ttft_ms: slo.ttftMs ?? null, tpot_ms: slo.tpotMs ?? null, e2e_ms: slo.e2eMs ?? null },
    },
    validity: { valid: reasons.length === 0, reasons },
    generator: { send_lag_ms: worst(({ sendLag }) => sendLag), loop_lag_ms: worst(({ loopLag }) => loopLag) },
    sides,
  };
}

/** Of a run in virtual time, whose generator is never late. */
export const NO_LAGS: Lags = { sendLag: NO_TIMES, loopLag: NO_TIMES };
