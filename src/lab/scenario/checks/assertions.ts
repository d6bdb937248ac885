import type { ConfigPath, Finding } from "../../../config/tools.ts";
import { closest, error, formatDuration, isMapping, quote, valueAt } from "../../../config/tools.ts";
import type { Condition, MetricName } from "../assertion.ts";
import { METRICS } from "../assertion.ts";
import type { Mapping } from "../gate-tree.ts";
import { isMetric, readCondition } from "../schema/conditions.ts";
import { given, namesIn, type PhaseView, type ScenarioView } from "../view.ts";
import { unknownConsumer } from "./consumers.ts";

/** Where a list of assertions stands, and what it is about. */
interface Section {
  readonly path: ConfigPath;
  /** `undefined`: the whole run. */
  readonly phase: PhaseView | undefined;
  /** The gates that are in force in it; none where there is none. */
  readonly gates: readonly Mapping[];
}

/** Assertions that nothing could meet, or nothing could see. */
export function checkAssertions(view: ScenarioView, inForce: readonly (Mapping | undefined)[]): readonly Finding[] {
  const whole: Section = { path: ["assert"], phase: undefined, gates: inForce.filter((gate) => gate !== undefined) };
  const sections = view.phases.map((phase, index): Section => {
    const gate = inForce[index];
    return { path: [...phase.path, "assert"], phase, gates: gate === undefined ? [] : [gate] };
  });
  return [...sections, whole].flatMap((section) => [
    ...checkMetrics(view, section, section.path),
    ...namesIn(valueAt(view.tree, [...section.path, "consumers"])).flatMap((name) => [
      ...checkConsumer(view, name, [...section.path, "consumers", name]),
      ...checkMetrics(view, section, [...section.path, "consumers", name]).filter(isOfOne),
    ]),
  ]);
}

/** What no single consumer has is mistake enough. */
function isOfOne({ path }: Finding): boolean {
  return !path.some((part) => typeof part === "string" && isMetric(part) && !METRICS[part].perConsumer);
}

function checkConsumer({ consumers, tree }: ScenarioView, name: string, path: ConfigPath): readonly Finding[] {
  const metrics = namesIn(valueAt(tree, path)).filter(isMetric);
  return [
    ...(consumers === undefined || consumers.has(name) ? [] : [unknownConsumer({ value: name, path }, consumers)]),
    ...metrics
      .filter((metric) => !METRICS[metric].perConsumer)
      .map((metric) => error([...path, metric], "is known of all together only, not of one consumer", { at: "key" })),
  ];
}

function checkMetrics(view: ScenarioView, section: Section, path: ConfigPath): readonly Finding[] {
  return namesIn(valueAt(view.tree, path))
    .filter(isMetric)
    .flatMap((metric) => [
      ...checkSight(view, section, [...path, metric]),
      ...conditionsAt(view.tree, [...path, metric], metric).flatMap((seen) => [
        ...checkWithin(view, section, seen),
        ...checkPart(metric, seen),
      ]),
    ]);
}

interface SeenCondition {
  readonly condition: Condition;
  readonly path: ConfigPath;
}

function conditionsAt(tree: unknown, path: ConfigPath, metric: MetricName): readonly SeenCondition[] {
  const value = valueAt(tree, path);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item, index) => {
    const reading = readCondition(item, METRICS[metric].unit);
    if (reading.kind === "refused") return [];
    return [{ condition: reading.value, path: Array.isArray(value) ? [...path, index] : path }];
  });
}

/** Metrics that are parts of a capacity, or of reservations. */
const OF_CAPACITY: readonly string[] = ["floor", "utilization", "fullest", "unevenness"] satisfies MetricName[];

/** Whether what the metric is about is there at all. */
function checkSight({ tree, windowMs }: ScenarioView, { phase, gates }: Section, path: ConfigPath): readonly Finding[] {
  const metric = String(path.at(-1));
  const wrong = (rule: string, hint?: string): readonly Finding[] => [
    error(path, rule, { at: "key", hint, absent: true }),
  ];
  // What is no mapping is wrong by itself.
  const gateIsKnown = !given(tree, ["gate"]) || isMapping(valueAt(tree, ["gate"]));
  if (metric === "goodput" && namesIn(valueAt(tree, ["slo"])).length === 0) {
    return wrong("needs objectives to be good by", "slo: { ttft: 500ms }");
  }
  if (metric === "queue_p99" && !given(tree, ["gate"])) return wrong("needs a gate: without one nobody waits in it");
  if (OF_CAPACITY.includes(metric) && gateIsKnown) {
    const hint = "gate.deployments.NAME.capacity.requests_per_minute";
    if (!gates.some((gate) => isMeasured(gate, "capacity")))
      return wrong("needs a capacity that it is a part of", hint);
    if (metric === "unevenness" && !gates.some((gate) => isMeasured(gate, "reservations"))) {
      return wrong("needs two reservations or more to compare");
    }
  }
  const durationMs = phase?.durationMs;
  if (
    isMetric(metric) &&
    METRICS[metric].byWindow &&
    windowMs !== undefined &&
    durationMs !== undefined &&
    durationMs < windowMs
  ) {
    return wrong(
      `is judged in windows of ${formatDuration(windowMs)}, and the phase is over after ${formatDuration(durationMs)}`,
      "window: at the top makes them shorter",
    );
  }
  return [];
}

/** Whether the deployment that is measured has a rate to be measured by, or reservations to compare. */
function isMeasured(gate: Mapping, what: "capacity" | "reservations"): boolean {
  const [name = ""] = namesIn(gate["deployments"]);
  const path = ["deployments", name];
  return what === "capacity"
    ? given(gate, [...path, "capacity", "requests_per_minute"])
    : namesIn(valueAt(gate, [...path, "reservations"])).length >= 2;
}

function checkWithin(
  { phases }: ScenarioView,
  { phase }: Section,
  { condition, path }: SeenCondition,
): readonly Finding[] {
  if (condition.kind !== "within") return [];
  const received = quote(condition.phase);
  const names = phases.flatMap(({ name }) => (name === undefined ? [] : [name.value]));
  if (phase?.name?.value === condition.phase) return [error(path, "compares the phase with itself", { received })];
  if (names.includes(condition.phase) || names.length < phases.length) return [];
  const meant = closest(condition.phase, names);
  const hint = meant === undefined ? `phases: ${names.slice(0, 10).join(", ")}` : `did you mean ${meant}?`;
  return [error(path, "compares with a phase that is not there", { received, hint })];
}

/** Parts of what was sent are never more than all of it. */
const PARTS: readonly string[] = ["success", "goodput"] satisfies MetricName[];

function checkPart(metric: MetricName, { condition, path }: SeenCondition): readonly Finding[] {
  if (condition.kind === "within") return [];
  const { kind, value } = condition;
  const impossible =
    (PARTS.includes(metric) && (kind === "above" ? value >= 1 : kind !== "atMost" && kind !== "below" && value > 1)) ||
    (kind === "below" && value === 0);
  return impossible ? [error(path, "can never hold")] : [];
}
