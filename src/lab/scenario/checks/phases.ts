import type { Finding } from "../../../config/tools.ts";
import { error, formatDuration, formatPath, quote, valueAt } from "../../../config/tools.ts";
import type { LoadView, PhaseView, ScenarioView } from "../view.ts";
import { given, readAt, readTime } from "../view.ts";
import { checkBehaviour } from "./behaviour.ts";
import { unknownConsumer } from "./consumers.ts";

/** Phases and their loads: names, ends, and which keys go together. */
export function checkPhases(view: ScenarioView): readonly Finding[] {
  return [
    ...checkNames(view.phases),
    ...view.phases.flatMap((phase) => [
      ...checkEmpty(phase),
      ...phase.loads.flatMap((load) => [
        ...checkConsumer(view, load),
        ...checkKind(load),
        ...checkEnd(phase, load),
        ...checkStart(view, phase, load),
        ...checkBehaviour(view, load),
      ]),
    ]),
  ];
}

function checkNames(phases: readonly PhaseView[]): readonly Finding[] {
  const seen = new Map<string, PhaseView>();
  return phases.flatMap((phase) => {
    if (phase.name === undefined) return [];
    const { value, path } = phase.name;
    const first = seen.get(value);
    seen.set(value, first ?? phase);
    return first === undefined
      ? []
      : [error(path, `is the name of ${formatPath(first.path)} already`, { received: quote(value) })];
  });
}

function checkEmpty({ path, hasDuration, loads }: PhaseView): readonly Finding[] {
  return hasDuration || loads.length > 0
    ? []
    : [error(path, "needs a duration, or load that comes to an end", { absent: true })];
}

function checkConsumer({ consumers }: ScenarioView, { consumer, path }: LoadView): readonly Finding[] {
  if (consumers === undefined || consumers.has(consumer)) return [];
  return [unknownConsumer({ value: consumer, path }, consumers)];
}

/** What says when requests go out. */
const KINDS: readonly string[] = ["rate", "workers", "burst", "replay"];
/** Keys that mean something beside one of them only. */
const BESIDE: readonly (readonly [key: string, kind: string])[] = [
  ["arrivals", "rate"],
  ["burstiness", "rate"],
  ["requests", "workers"],
  ["pause", "workers"],
];

function kindsOf({ keys }: LoadView): readonly string[] {
  return KINDS.filter((kind) => keys.includes(kind));
}

function checkKind(load: LoadView): readonly Finding[] {
  if (!load.isMapping) return [];
  const [kind, ...more] = kindsOf(load);
  if (kind === undefined) {
    const hint = "rate: 150/m, workers: 4, burst: 20 or replay: trace.jsonl";
    return [error(load.path, "needs one of rate, workers, burst and replay", { hint, absent: true })];
  }
  return [
    ...more.map((other) =>
      error([...load.path, other], `cannot stand beside ${kind}: a load is one of rate, workers, burst and replay`, {
        at: "key",
      }),
    ),
    ...BESIDE.filter(([key, home]) => load.keys.includes(key) && !load.keys.includes(home)).map(([key, home]) =>
      error([...load.path, key], `goes with ${home}, not with ${kind}`, { at: "key" }),
    ),
  ];
}

/** Without a duration the phase ends with its last request. */
function checkEnd(phase: PhaseView, load: LoadView): readonly Finding[] {
  if (phase.hasDuration) return [];
  const kinds = kindsOf(load);
  const endless = load.isMapping
    ? kinds.includes("rate") || (kinds.includes("workers") && !load.keys.includes("requests"))
    : true;
  if (!endless) return [];
  const way = kinds.includes("workers") ? "give it requests, or the phase a duration" : "give the phase a duration";
  return [error(load.path, "never ends, and neither does its phase", { at: "key", hint: way, absent: true })];
}

function checkStart({ tree }: ScenarioView, { durationMs }: PhaseView, load: LoadView): readonly Finding[] {
  const path = [...load.path, "from"];
  const fromMs = load.isMapping ? readAt(tree, path, readTime) : undefined;
  const gamma = valueAt(tree, [...load.path, "arrivals"]);
  const burstiness = [...load.path, "burstiness"];
  const isFor = gamma === "gamma";
  const loose = given(tree, burstiness) && !isFor && load.keys.includes("rate");
  return [
    ...(fromMs !== undefined && durationMs !== undefined && fromMs >= durationMs
      ? [
          error(path, `is not before the end of the phase, which is at ${formatDuration(durationMs)}`, {
            received: formatDuration(fromMs),
          }),
        ]
      : []),
    ...(isFor && !given(tree, burstiness)
      ? [
          error([...load.path, "arrivals"], "is gamma, which needs a burstiness", {
            hint: "below 1 requests come in clusters, 1 is poisson",
            absent: true,
          }),
        ]
      : []),
    ...(loose ? [error(burstiness, "goes with arrivals: gamma", { at: "key" })] : []),
  ];
}
