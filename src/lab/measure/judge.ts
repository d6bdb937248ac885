import type { Check, Figures, ModelFigures, Side } from "../report/types.ts";
import { type Assertion, type Condition, type MetricName, METRICS, type MetricUnit } from "../scenario/assertion.ts";
import type { Scenario } from "../scenario/types.ts";

/** What a side says without its checks. */
type Seen = Omit<Side, "checks">;

/** Where a figure is looked up. */
interface Place {
  readonly figures: Figures;
  readonly model: ModelFigures | null;
}

/** Holds a side against the assertions of its scenario. What could not be seen has failed. */
export function judge(scenario: Scenario, side: Seen, sendLagMs: number): readonly Check[] {
  const judgeAll = (assertions: readonly Assertion[], phase: string | undefined): readonly Check[] =>
    assertions.map((assertion) => judgeOne(assertion, phase, { scenario, side, sendLagMs }));
  return [
    ...scenario.phases.flatMap(({ assertions, name }) => judgeAll(assertions, name)),
    ...judgeAll(scenario.assertions, undefined),
  ];
}

interface Bench {
  readonly scenario: Scenario;
  readonly side: Seen;
  readonly sendLagMs: number;
}

function judgeOne(assertion: Assertion, phase: string | undefined, bench: Bench): Check {
  const { metric, consumer, condition } = assertion;
  const { unit } = METRICS[metric];
  const seen = look(assertion, phase, bench);
  const reference = condition.kind === "within" ? look(assertion, condition.phase, bench) : null;
  return {
    phase: phase ?? null,
    consumer: consumer ?? null,
    metric,
    aim: describe(condition, unit, reference),
    seen: seen === null ? null : show(seen, unit),
    ok: seen !== null && holds(condition, seen, reference),
  };
}

/** Rounding of a division must not decide. */
const TOLERANCE = 1e-9;

function holds(condition: Condition, seen: number, reference: number | null): boolean {
  switch (condition.kind) {
    case "atLeast":
      return seen >= condition.value - TOLERANCE;
    case "atMost":
      return seen <= condition.value + TOLERANCE;
    case "above":
      return seen > condition.value;
    case "below":
      return seen < condition.value;
    case "equal":
      return Math.abs(seen - condition.value) <= TOLERANCE;
    case "within":
      return reference !== null && Math.abs(seen - reference) <= condition.fraction * reference + TOLERANCE;
  }
}

const WORDS = { atLeast: "at least", atMost: "at most", above: "above", below: "below", equal: "" } as const;

function describe(condition: Condition, unit: MetricUnit, reference: number | null): string {
  if (condition.kind !== "within") return `${WORDS[condition.kind]} ${show(condition.value, unit)}`.trim();
  const known = reference === null ? "not seen" : show(reference, unit);
  return `within ${show(condition.fraction, "ratio")} of ${condition.phase} (${known})`;
}

/** A value as people write it. */
function show(value: number, unit: MetricUnit): string {
  switch (unit) {
    case "count":
      return String(value);
    case "ratio":
      return `${trim(100 * value, 2)}%`;
    case "perMinute":
      return `${trim(value, 1)}/m`;
    case "ms":
      return value < 1_000 ? `${trim(value, value < 100 ? 2 : 0)}ms` : `${trim(value / 1_000, 2)}s`;
  }
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

function look({ metric, consumer }: Assertion, phase: string | undefined, bench: Bench): number | null {
  const place = placeOf(consumer, phase, bench);
  return place === undefined ? null : valueOf(metric, place, bench.sendLagMs);
}

function placeOf(
  consumer: string | undefined,
  phase: string | undefined,
  { scenario, side }: Bench,
): Place | undefined {
  const index = scenario.phases.findIndex(({ name }) => name === phase);
  const ofPhase = side.phases[index];
  if (consumer === undefined) {
    if (phase === undefined) return { figures: side.total, model: side.model };
    return ofPhase && { figures: ofPhase, model: ofPhase.model };
  }
  const row = side.consumers.find(({ name }) => name === consumer);
  const figures = phase === undefined ? row : row?.phases[index];
  return figures && { figures, model: null };
}

function valueOf(metric: MetricName, { figures, model }: Place, sendLagMs: number): number | null {
  switch (metric) {
    case "intended":
    case "sent":
    case "served":
    case "success":
    case "satisfied":
    case "refused":
    case "refused_429":
    case "refused_503":
    case "without_retry_after":
    case "incomplete":
    case "failed":
    case "gave_up":
    case "floor":
    case "utilization":
    case "fullest":
    case "unevenness":
    case "served_per_minute":
    case "goodput":
      return figures[metric];
    case "ttft_p50":
      return figures.ttft_ms.p50;
    case "ttft_p99":
      return figures.ttft_ms.p99;
    case "itl_p50":
      return figures.itl_ms.p50;
    case "itl_p99":
      return figures.itl_ms.p99;
    case "tpot_p50":
      return figures.tpot_ms.p50;
    case "e2e_p50":
      return figures.e2e_ms.p50;
    case "e2e_p99":
      return figures.e2e_ms.p99;
    case "queue_p99":
      return figures.queue_ms.p99;
    case "lag_p99":
      return sendLagMs;
    case "concurrent":
      return model?.max_concurrent ?? null;
    case "gpu_errors":
      return model === null || model.wedged === null ? null : Number(model.wedged);
    case "model_ttft":
      return model?.ttft_ms ?? null;
    case "model_itl":
      return model?.itl_ms ?? null;
  }
}
