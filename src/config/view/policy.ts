import type { LimitName } from "../../core/policy/limits.ts";
import { RATE_LIMITS } from "../../core/policy/limits.ts";
import { readPart, readToggle, readWord } from "../fields/field.ts";
import { readConsumerName } from "../fields/names.ts";
import type { ConfigPath } from "../problem.ts";
import type { AdmissionMode } from "../types.ts";
import type { Reading } from "../units.ts";
import { readCount } from "../units.ts";
import type { Seen } from "./sight.ts";
import { ANY_AMOUNT, isGiven, itemsAt, namesAt, sight } from "./sight.ts";

/** Who gets how much of one deployment. */
export interface PolicyView {
  readonly limits: RowView;
  readonly exceptions: ReadonlyMap<string, RowView>;
  readonly capacity: CapacityView | undefined;
  readonly reservations: ReadonlyMap<string, Seen<number>>;
  readonly mode: Seen<AdmissionMode> | undefined;
  readonly modes: ReadonlyMap<string, Seen<AdmissionMode>>;
  readonly allow: readonly Seen<string>[];
  /** The names in `exceptions`, `reservations` and `modes`, whatever they hold. */
  readonly names: readonly Seen<string>[];
  /** Which of these keys the file has, whatever they hold. */
  readonly given: Readonly<Record<"reservations" | "mode" | "modes" | "queue", boolean>>;
}

/** One row of limits: the default policy, or an exception. */
export interface RowView {
  readonly path: ConfigPath;
  readonly values: ReadonlyMap<LimitName, Seen<number>>;
  readonly strict: Seen<boolean> | undefined;
}

interface CapacityView {
  readonly path: ConfigPath;
  readonly requests: Seen<number> | undefined;
  readonly tokens: Seen<number> | undefined;
  /** Whether one of the two is there, read or not. */
  readonly hasRate: boolean;
  readonly threshold: Seen<number> | undefined;
}

/** Every limit that a row can have. */
const LIMIT_NAMES: readonly LimitName[] = [
  ...RATE_LIMITS.map(({ name }) => name),
  "concurrent_requests",
  "input_tokens",
];
const MODES: readonly AdmissionMode[] = ["reject", "queue"];

export function viewPolicy(tree: unknown, path: ConfigPath): PolicyView {
  const see = sight(tree);
  const section = (key: string): ConfigPath => [...path, key];
  const named = <T>(key: string, view: (path: ConfigPath) => T | undefined): ReadonlyMap<string, T> => {
    const rows = namesAt(tree, section(key)).map((name) => [name, view([...path, key, name])] as const);
    return new Map(rows.flatMap(([name, row]) => (row === undefined ? [] : [[name, row] as const])));
  };
  const readMode = (value: unknown): Reading<AdmissionMode> => readWord(value, MODES);
  return {
    limits: viewRow(tree, section("limits")),
    exceptions: named("exceptions", (path) => viewRow(tree, path)),
    capacity: viewCapacity(tree, section("capacity")),
    reservations: named("reservations", (path) => see(path, readPart)),
    mode: see(section("mode"), readMode),
    modes: named("modes", (path) => see(path, readMode)),
    allow: itemsAt(tree, section("allow")).flatMap((item) => see(item, readConsumerName) ?? []),
    names: ["exceptions", "reservations", "modes"].flatMap((key) =>
      namesAt(tree, section(key)).map((name) => ({ value: name, path: [...path, key, name] })),
    ),
    given: {
      reservations: namesAt(tree, section("reservations")).length > 0,
      mode: isGiven(tree, section("mode")),
      modes: namesAt(tree, section("modes")).length > 0,
      queue: isGiven(tree, section("queue")),
    },
  };
}

function viewRow(tree: unknown, path: ConfigPath): RowView {
  const see = sight(tree);
  const given = new Set(namesAt(tree, path));
  const values = LIMIT_NAMES.flatMap((name) => {
    const seen = given.has(name) ? see([...path, name], (value) => readCount(value, ANY_AMOUNT)) : undefined;
    return seen === undefined ? [] : [[name, seen] as const];
  });
  return {
    path,
    values: new Map(values),
    strict: given.has("strict") ? see([...path, "strict"], readToggle) : undefined,
  };
}

function viewCapacity(tree: unknown, path: ConfigPath): CapacityView | undefined {
  if (!isGiven(tree, path)) return undefined;
  const see = sight(tree);
  const [requests, tokens] = [
    [...path, "requests_per_minute"],
    [...path, "tokens_per_minute"],
  ];
  return {
    path,
    requests: see(requests, (value) => readCount(value, ANY_AMOUNT)),
    tokens: see(tokens, (value) => readCount(value, ANY_AMOUNT)),
    hasRate: isGiven(tree, requests) || isGiven(tree, tokens),
    threshold: see([...path, "utilization_threshold"], readPart),
  };
}
