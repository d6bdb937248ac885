import { z } from "zod";
import type { Reading } from "../../../config/tools.ts";
import { field, readCount, readDuration, readPart } from "../../../config/tools.ts";
import type { Assertion, Condition, MetricName, MetricUnit } from "../assertion.ts";
import { METRICS } from "../assertion.ts";
import { readRate, TIME } from "./values.ts";

/** What a condition compares with, by the unit of its metric. */
const FORMS = {
  count: "a whole number like 417",
  ratio: "a percentage like 99%, or a number like 1.1",
  ms: "a duration like 500ms",
  perMinute: "a rate like 300/m",
} as const satisfies Record<MetricUnit, string>;

type Comparison = Exclude<Condition["kind"], "within">;

const COMPARISONS: readonly (readonly [sign: string, kind: Comparison])[] = [
  [">=", "atLeast"],
  ["at least", "atLeast"],
  ["<=", "atMost"],
  ["at most", "atMost"],
  [">", "above"],
  ["above", "above"],
  ["<", "below"],
  ["below", "below"],
];

/** Reads `100%`, `>= 99%`, `at least 99%` and `within 10% of steady`. Whether there is such a phase is a matter of the checks. */
export function readCondition(value: unknown, unit: MetricUnit): Reading<Condition> {
  const text = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  if (/^within\b/.test(text)) return readWithin(text);
  const [sign = "", kind = "equal"] = COMPARISONS.find(([sign]) => text.startsWith(sign)) ?? [];
  const amount = readAmount(text.slice(sign.length).trim(), unit);
  if (amount.kind === "read") return { kind: "read", value: { kind, value: amount.value } };
  return { kind: "refused", rule: `must compare with ${FORMS[unit]}`, hint: conditionHint(text, sign, unit) };
}

function readWithin(text: string): Reading<Condition> {
  const rule = "must be like within 10% of steady, where steady is a phase";
  const [, part, phase] = /^within (\S+) of (\S.*)$/.exec(text) ?? [];
  const fraction = readPart(part);
  if (phase === undefined || fraction.kind === "refused") return { kind: "refused", rule };
  return { kind: "read", value: { kind: "within", fraction: fraction.value, phase } };
}

function readAmount(text: string, unit: MetricUnit): Reading<number> {
  switch (unit) {
    case "count":
      return readCount(text, { min: 0, max: 1e12 });
    case "ratio":
      return readRatio(text);
    case "ms":
      return readDuration(text, { ...TIME, min: 0 });
    case "perMinute":
      return readRate(text);
  }
}

/** Above 100% too: more than all of a capacity can have been admitted. */
function readRatio(text: string): Reading<number> {
  const [, digits, sign] = /^(\d{1,6}(?:\.\d{1,9})?) ?(%?)$/.exec(text) ?? [];
  if (digits === undefined) return { kind: "refused", rule: "" };
  return { kind: "read", value: sign === "%" ? Number(digits) / 100 : Number(digits) };
}

/** What a bare number most likely lacks. */
const UNITS = { count: "", ratio: "%", ms: "ms", perMinute: "/m" } as const satisfies Record<MetricUnit, string>;

function conditionHint(text: string, sign: string, unit: MetricUnit): string | undefined {
  if (text.startsWith("=")) return "a value alone must be met exactly";
  const rest = text.slice(sign.length).trim();
  if (/^\d+(?:\.\d+)?$/.test(rest) && UNITS[unit] !== "")
    return `did you mean ${sign === "" ? "" : `${sign} `}${rest}${UNITS[unit]}?`;
  return sign === "" ? 'it may begin with ">=", "<=", ">", "<", at least, at most, above or below' : undefined;
}

/** Conditions by metric; several on one metric are a list. */
type Conditions = Readonly<Record<string, readonly Condition[] | undefined>>;

function conditionOn(name: MetricName): z.ZodType<readonly Condition[] | undefined> {
  const { unit, meaning } = METRICS[name];
  const one = field((value) => readCondition(value, unit), {
    title: `condition on ${FORMS[unit]}`,
    type: ["string", "number"],
  });
  return z
    .union([one.transform((condition) => [condition]), z.array(one).min(1)])
    .optional()
    .describe(`${meaning.slice(0, 1).toUpperCase()}${meaning.slice(1)}.`);
}

const metrics: Readonly<Record<string, z.ZodType<readonly Condition[] | undefined>>> = Object.fromEntries(
  namesOfMetrics().map((name) => [name, conditionOn(name)]),
);

/** All metrics, in the order of the table. */
export function namesOfMetrics(): readonly MetricName[] {
  return Object.keys(METRICS).filter(isMetric);
}

export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}

const ofOne = z.strictObject(metrics).transform((from): Conditions => from);

/** What must hold of all together, and of consumers by the names in the file. */
export interface AssertSection {
  readonly all: readonly Assertion[];
  readonly consumers: ReadonlyMap<string, readonly Assertion[]>;
}

/** `assert`. The consumers of its assertions are as the file names them. */
export const assertSection: z.ZodType<AssertSection> = z
  .strictObject({
    ...metrics,
    consumers: z
      .record(z.string(), ofOne)
      .prefault({})
      .describe("The same of single consumers, by name. Of a consumer with a `count`, each must meet it."),
  })
  .transform(({ consumers, ...all }) => ({
    all: assertionsOf(all, undefined),
    consumers: new Map(Object.entries(consumers).map(([name, of]) => [name, assertionsOf(of, name)])),
  }));

function assertionsOf(conditions: Conditions, consumer: string | undefined): readonly Assertion[] {
  return Object.entries(conditions).flatMap(([metric, list]) =>
    isMetric(metric) ? (list ?? []).map((condition) => ({ metric, consumer, condition })) : [],
  );
}
