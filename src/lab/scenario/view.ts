import type { ConfigPath, Reading } from "../../config/tools.ts";
import { isMapping, NAME, readCount, readDuration, valueAt } from "../../config/tools.ts";
import { POOL } from "../../core/shares/types.ts";
import type { Ms } from "../../core/units.ts";
import { MOST_ALIKE } from "./schema/file.ts";
import { TIME } from "./schema/values.ts";

/*
 * What can be understood of a scenario that may be wrong elsewhere. The checks that compare one key with another work on it,
 * so that an unknown consumer is reported together with a mistyped duration and not one run later.
 */

/** A value and where it stands. */
export interface Seen<T> {
  readonly value: T;
  readonly path: ConfigPath;
}

export interface ScenarioView {
  readonly tree: unknown;
  /** By the names in the file; `undefined` where it has something in their place that is no mapping. */
  readonly consumers: ReadonlyMap<string, ConsumerView> | undefined;
  readonly phases: readonly PhaseView[];
  readonly windowMs: Ms | undefined;
}

export interface ConsumerView {
  readonly name: string;
  readonly path: ConfigPath;
  /** `undefined` where the count cannot be read. */
  readonly count: number | undefined;
  /** Its own name, or those of all that are alike; only names that a consumer may have. */
  readonly members: readonly string[];
}

export interface PhaseView {
  readonly path: ConfigPath;
  readonly name: Seen<string> | undefined;
  /** `undefined` where there is none, or none that can be read. */
  readonly durationMs: Ms | undefined;
  readonly hasDuration: boolean;
  readonly loads: readonly LoadView[];
  readonly hasGate: boolean;
}

export interface LoadView {
  /** As the file names it. */
  readonly consumer: string;
  readonly path: ConfigPath;
  /** False for the short form, and for what is no load at all. */
  readonly isMapping: boolean;
  /** The keys that it has, whatever they hold. */
  readonly keys: readonly string[];
}

export function viewOf(tree: unknown): ScenarioView {
  const consumers = valueAt(tree, ["consumers"]);
  const phases = valueAt(tree, ["phases"]);
  return {
    tree,
    consumers: isMapping(consumers)
      ? new Map(Object.keys(consumers).map((name) => [name, viewConsumer(tree, name)]))
      : undefined,
    phases: Array.isArray(phases) ? phases.map((_, index) => viewPhase(tree, ["phases", index])) : [],
    windowMs: given(tree, ["window"]) ? readAt(tree, ["window"], readTime) : 60_000,
  };
}

/** `user`, or `user-1` to `user-40`. */
function membersOf(name: string, count: number | undefined): readonly string[] {
  return count === undefined ? [name] : Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

function viewConsumer(tree: unknown, name: string): ConsumerView {
  const path = ["consumers", name];
  const counted = given(tree, [...path, "count"]);
  const count = counted ? readAt(tree, [...path, "count"], readAlike) : 1;
  const names = count === undefined ? [] : membersOf(name, counted ? count : undefined);
  return { name, path, count, members: names.filter((name) => NAME.test(name) && name !== POOL) };
}

function viewPhase(tree: unknown, path: ConfigPath): PhaseView {
  const name = valueAt(tree, [...path, "name"]);
  const loads = valueAt(tree, [...path, "load"]);
  return {
    path,
    name: typeof name === "string" ? { value: name, path: [...path, "name"] } : undefined,
    durationMs: readAt(tree, [...path, "duration"], readTime),
    hasDuration: given(tree, [...path, "duration"]),
    loads: namesIn(loads).map((consumer) => viewLoad(tree, consumer, [...path, "load", consumer])),
    hasGate: given(tree, [...path, "gate"]),
  };
}

function viewLoad(tree: unknown, consumer: string, path: ConfigPath): LoadView {
  const load = valueAt(tree, path);
  return { consumer, path, isMapping: isMapping(load), keys: namesIn(load) };
}

export function namesIn(value: unknown): readonly string[] {
  return isMapping(value) ? Object.keys(value) : [];
}

export function given(tree: unknown, path: ConfigPath): boolean {
  return valueAt(tree, path) !== undefined;
}

/** The value at a path; nothing where there is none, or its reader refuses it. */
export function readAt<T>(tree: unknown, path: ConfigPath, read: (value: unknown) => Reading<T>): T | undefined {
  const reading = read(valueAt(tree, path));
  return reading.kind === "read" ? reading.value : undefined;
}

export function readTime(value: unknown): Reading<Ms> {
  return readDuration(value, { ...TIME, min: 0 });
}

function readAlike(value: unknown): Reading<number> {
  return readCount(value, { min: 1, max: MOST_ALIKE });
}
