import { createRandom, type Random } from "../../src/core/random.ts";
import type {
  ConsumerFigures,
  Distribution,
  Figures,
  ModelFigures,
  PhaseFigures,
  Report,
  Side,
  Timeline,
} from "../../src/lab/report/types.ts";
import { figures, percentiles } from "./sample-figures.ts";

const STEP_S = 5;
const CAPACITY = 1_000;

interface SamplePhase {
  readonly name: string;
  readonly minutes: number;
  /** Asked for per minute by a, b, c and dev. */
  readonly asked: readonly number[];
  /** How long dev is silent at first. */
  readonly devFrom?: number;
}

const PHASES: readonly SamplePhase[] = [
  { name: "steady", minutes: 3, asked: [150, 150, 150, 150] },
  { name: "slight overload", minutes: 2, asked: [300, 300, 300, 300] },
  { name: "heavy overload", minutes: 3, asked: [1_800, 1_800, 1_800, 1_800] },
  { name: "extreme overload", minutes: 3, asked: [3_000, 3_000, 3_000, 3_000] },
  { name: "late joiner", minutes: 3, asked: [2_250, 2_250, 2_250, 2_250], devFrom: 1 },
  { name: "reserved only", minutes: 3, asked: [2_400, 2_400, 2_400, 0] },
];

const NAMES = ["agent-a", "agent-b", "agent-c", "dev"];
const WEIGHTS = [0.3, 0.2, 0.3, 0.2];

export interface SampleOptions {
  readonly seed?: number;
  /** Also a side without the gate, whose GPU wedges. */
  readonly ungated?: boolean;
  /** Further members of the pool. */
  readonly users?: number;
  readonly names?: readonly string[];
}

/** A report as `headgate load shared-deployment` would write it: six phases, 17 minutes, noise from a seed. */
export function sampleReport({ seed = 7, ungated = false, users = 0, names = NAMES }: SampleOptions = {}): Report {
  const random = createRandom(seed);
  const everybody = [...names, ...Array.from({ length: users }, (_, index) => `user-${index + 1}`)];
  const sides = [gatedSide(random, everybody)];
  if (ungated) sides.push(ungatedSide(random, everybody));
  return {
    format: "headgate.load/1",
    headgate: "0.1.0",
    started: "2026-11-26T03:00:00.000Z",
    scenario: {
      name: "shared-deployment",
      description: "Six teams' situations on one gpt-oss-20b, from steady use to 12 times its capacity.",
      mode: "http",
      target: "simulated nim-gpt-oss-20b behind headgate",
      seed,
      speed: 4,
      window_s: 60,
      slo: { ttft_ms: 500, tpot_ms: null, e2e_ms: 10_000 },
    },
    validity: { valid: true, reasons: [] },
    generator: { send_lag_ms: percentiles(67_000, 0.4, 9), loop_lag_ms: percentiles(25_000, 0.2, 30) },
    sides,
  };
}

/** A report in which nobody got an answer, of a target that says nothing of itself. */
export function quietReport(): Report {
  const report = sampleReport();
  const nothing: Distribution = { ms: [], fraction: [] };
  return {
    ...report,
    sides: report.sides.map((side): Side => {
      const none = side.timeline.at_s.map(() => 0);
      const gaps = side.timeline.at_s.map(() => null);
      const empty = figures({ sent: 100, served: 0, refused: 0, minutes: 17, ttftMs: 0, e2eMs: 0 });
      return {
        ...side,
        capacity_per_minute: null,
        total: empty,
        model: null,
        cut_short: "every request failed",
        phases: side.phases.map((phase) => ({ ...phase, ...empty, model: null })),
        consumers: side.consumers.map(({ name, phases }) => ({
          ...empty,
          name,
          reservation: null,
          floor_per_minute: null,
          phases: phases.map(() => empty),
        })),
        timeline: {
          ...side.timeline,
          consumers: side.timeline.consumers.map((column) => ({
            ...column,
            served: none,
            refused: none,
            entitled: null,
          })),
          ttft_p50_ms: gaps,
          ttft_p99_ms: gaps,
          e2e_p50_ms: gaps,
          e2e_p99_ms: gaps,
          tokens_in: none,
          tokens_out: none,
          model: null,
        },
        distributions: { ttft: nothing, itl: nothing, e2e: nothing },
        checks: [],
      };
    }),
  };
}

interface Flow {
  readonly sent: number[];
  readonly served: number[];
  readonly refused: number[];
  readonly entitled: number[];
}

function gatedSide(random: Random, names: readonly string[]): Side {
  const flows = flowsOf(random, names, true);
  const steps = flows[0]?.sent.length ?? 0;
  const running = Array.from({ length: steps }, (_, step) =>
    Math.min(32, 0.021 * perMinute(flows, step) + 2 * random()),
  );
  const timeline = timelineOf(random, names, flows, { running, wedgedFrom: Infinity });
  return sideOf({ name: "with the gate", seats: 32 }, names, flows, timeline);
}

function ungatedSide(random: Random, names: readonly string[]): Side {
  const flows = flowsOf(random, names, false);
  const steps = flows[0]?.sent.length ?? 0;
  const wedgedFrom = 68;
  const running = Array.from({ length: steps }, (_, step) =>
    step > wedgedFrom ? 240 : Math.min(240, step < 60 ? 14 + 3 * random() : 24 + (step - 60) * 27),
  );
  for (const flow of flows) flow.served.fill(0, wedgedFrom);
  const timeline = timelineOf(random, names, flows, { running, wedgedFrom });
  return sideOf({ name: "without the gate", seats: null }, names, flows, timeline);
}

function flowsOf(random: Random, names: readonly string[], gated: boolean): readonly Flow[] {
  const flows: readonly Flow[] = names.map(() => ({ sent: [], served: [], refused: [], entitled: [] }));
  for (const phase of PHASES) {
    for (let step = 0; step < (phase.minutes * 60) / STEP_S; step++) {
      const asked = names.map((_, who) => {
        const late = who >= 3 && step * STEP_S < (phase.devFrom ?? 0) * 60;
        return late ? 0 : ((phase.asked[Math.min(who, 3)] ?? 0) * STEP_S) / 60 / (who > 3 ? 20 : 1);
      });
      const sent = asked.map((mean) => Math.max(0, Math.round(mean + Math.sqrt(mean) * gauss(random))));
      const entitled = maxMin(sent, (CAPACITY * STEP_S) / 60);
      flows.forEach((flow, who) => {
        const mine = sent[who] ?? 0;
        const fair = gated ? (entitled[who] ?? 0) : Math.min(mine, (330 * STEP_S) / 60);
        const served = Math.min(mine, Math.max(0, Math.round(fair + (fair < mine ? 0.7 * gauss(random) : 0))));
        flow.sent.push(mine);
        flow.served.push(served);
        flow.refused.push(gated ? mine - served : 0);
        flow.entitled.push(entitled[who] ?? 0);
      });
    }
  }
  return flows;
}

interface ModelState {
  readonly running: readonly number[];
  readonly wedgedFrom: number;
}

function timelineOf(
  random: Random,
  names: readonly string[],
  flows: readonly Flow[],
  { running, wedgedFrom }: ModelState,
): Timeline {
  const steps = running.length;
  const each = <T>(make: (step: number) => T): T[] => Array.from({ length: steps }, (_, step) => make(step));
  const slow = (step: number): number => (wedgedFrom === Infinity ? 1 : 1 + Math.max(0, step - 58) * 1.5);
  const answered = (step: number): boolean => step < wedgedFrom && perMinute(flows, step) > 0;
  const time = (base: number, spread: number) => (step: number) =>
    answered(step) ? base * slow(step) * Math.exp(spread * gauss(random)) : null;
  return {
    step_s: STEP_S,
    at_s: each((step) => step * STEP_S),
    consumers: names.map((name, who) => ({
      name,
      ...(flows[who] ?? { sent: [], served: [], refused: [] }),
      entitled: wedgedFrom === Infinity ? (flows[who]?.entitled ?? null) : null,
    })),
    ttft_p50_ms: each(time(36, 0.03)),
    ttft_p99_ms: each(time(78, 0.15)),
    e2e_p50_ms: each(time(1_300, 0.04)),
    e2e_p99_ms: each(time(2_050, 0.08)),
    tokens_in: each((step) => (answered(step) ? (perMinute(flows, step) / (60 / STEP_S)) * 116 : 0)),
    tokens_out: each((step) => (answered(step) ? (perMinute(flows, step) / (60 / STEP_S)) * 84 : 0)),
    model: {
      running: each((step) => running[step] ?? null),
      waiting: each(() => 0),
      gpu: each((step) =>
        step > wedgedFrom ? 1 : Math.min(0.96, 0.55 + 0.018 * (running[step] ?? 0) + 0.02 * random()),
      ),
      kv: each((step) => Math.min(0.4, 0.0012 * (running[step] ?? 0))),
    },
  };
}

function sideOf(
  { name, seats }: { readonly name: string; readonly seats: number | null },
  names: readonly string[],
  flows: readonly Flow[],
  timeline: Timeline,
): Side {
  const wedged = seats === null;
  const spans = spansOf();
  const cut = (who: number | null, from: number, to: number, more: Partial<Figures> = {}): Figures => {
    const mine = who === null ? flows : flows.slice(who, who + 1);
    const of = (key: "sent" | "served" | "refused"): number =>
      mine.reduce((total, flow) => total + flow[key].slice(from, to).reduce((sum, count) => sum + count, 0), 0);
    const minutes = ((to - from) * STEP_S) / 60;
    const counts = {
      sent: of("sent"),
      served: of("served"),
      refused: of("refused"),
      minutes,
      ttftMs: 36,
      e2eMs: 1_300,
    };
    return figures(counts, more);
  };
  const floors = (who: number): Partial<Figures> =>
    wedged ? {} : { floor: 0.997 - who * 0.001, worst_window: 148 - who, fullest_window: 402 };
  const steps = timeline.at_s.length;
  const all = wedged ? {} : { floor: 0.994, utilization: 0.991, fullest: 1.02 };
  return {
    name,
    duration_s: steps * STEP_S,
    capacity_per_minute: wedged ? null : CAPACITY,
    seats,
    total: cut(null, 0, steps, { ...all, goodput: 0.27 }),
    model: modelFigures(timeline, 0, steps, wedged),
    cut_short: null,
    phases: spans.map(({ phase, from, to }, index): PhaseFigures => ({
      ...cut(null, from, to, all),
      name: phase.name,
      from_s: from * STEP_S,
      to_s: to * STEP_S,
      model: modelFigures(timeline, from, to, wedged && index >= 2),
    })),
    consumers: names.map((consumer, who): ConsumerFigures => {
      const pooled = who >= 3;
      return {
        ...cut(who, 0, steps, floors(who)),
        name: consumer,
        reservation: pooled || wedged ? null : (WEIGHTS[who] ?? null),
        floor_per_minute: wedged ? null : CAPACITY * (WEIGHTS[Math.min(who, 3)] ?? 0),
        phases: spans.map(({ from, to }) => cut(who, from, to, floors(who))),
      };
    }),
    timeline,
    distributions: {
      ttft: lognormal(36, 0.28, wedged),
      itl: lognormal(18, 0.08, wedged),
      e2e: lognormal(1_300, 0.2, wedged),
    },
    checks: checksOf(wedged),
  };
}

function modelFigures({ model }: Timeline, from: number, to: number, wedged: boolean): ModelFigures {
  const running = model?.running.slice(from, to).map((value) => value ?? 0) ?? [];
  return {
    ttft_ms: 35,
    itl_ms: 18,
    running: running.reduce((sum, value) => sum + value, 0) / running.length,
    max_concurrent: Math.ceil(Math.max(...running)),
    gpu: 0.92,
    kv: 0.027,
    wedged,
  };
}

function checksOf(wedged: boolean): Side["checks"] {
  const check = (phase: string | null, metric: string, aim: string, seen: string | null) => ({
    phase,
    consumer: metric === "served" ? "dev" : null,
    metric,
    aim,
    seen,
    ok: !wedged,
  });
  return [
    check("steady", "success", "100%", wedged ? "99.1%" : "100%"),
    check("heavy overload", "floor", "at least 99%", wedged ? null : "99.4%"),
    check("extreme overload", "utilization", "at least 98.5%", wedged ? null : "99.1%"),
    check("extreme overload", "model_ttft", "within 10% of steady (35.2ms)", wedged ? null : "35.9ms"),
    check("late joiner", "served", "at most 417", wedged ? "0" : "402"),
    check(null, "concurrent", "at most 32", wedged ? "240" : "28"),
    check(null, "gpu_errors", "0", wedged ? "1" : "0"),
  ];
}

function spansOf(): readonly { readonly phase: SamplePhase; readonly from: number; readonly to: number }[] {
  let from = 0;
  return PHASES.map((phase) => {
    const to = from + (phase.minutes * 60) / STEP_S;
    const span = { phase, from, to };
    from = to;
    return span;
  });
}

/** Weighted max–min: whoever asks for less than its part leaves the rest to the others. */
function maxMin(asked: readonly number[], capacity: number): readonly number[] {
  const given = asked.map(() => 0);
  let [open, left] = [asked.map((_, who) => who), capacity];
  for (;;) {
    const weight = open.reduce((sum, who) => sum + weightOf(who, asked.length), 0);
    const content = open.filter((who) => (asked[who] ?? 0) <= (left * weightOf(who, asked.length)) / weight);
    if (content.length === 0) {
      for (const who of open) given[who] = (left * weightOf(who, asked.length)) / weight;
      return given;
    }
    for (const who of content) {
      given[who] = asked[who] ?? 0;
      left -= asked[who] ?? 0;
    }
    open = open.filter((who) => !content.includes(who));
    if (open.length === 0) return given;
  }
}

/** The pool's members share its weight. */
function weightOf(who: number, all: number): number {
  return who < 3 ? (WEIGHTS[who] ?? 0) : 0.2 / (all - 3);
}

function perMinute(flows: readonly Flow[], step: number): number {
  return (flows.reduce((sum, flow) => sum + (flow.served[step] ?? 0), 0) * 60) / STEP_S;
}

function lognormal(median: number, spread: number, slow: boolean): Distribution {
  const points = Array.from({ length: 100 }, (_, index) => (index + 1) / 101);
  const quantile = (fraction: number): number => Math.log(fraction / (1 - fraction)) * 0.6;
  return {
    ms: points.map(
      (fraction) =>
        median * Math.exp(spread * quantile(fraction) + (slow && fraction > 0.7 ? (fraction - 0.7) * 9 : 0)),
    ),
    fraction: points,
  };
}

function gauss(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
