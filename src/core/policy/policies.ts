/*
 * THE LAW
 *
 * Each value of a policy is found by itself: the consumer's own row decides, else the row of the first of its groups that
 * has the value, else the default policy. So an exception that sets one limit leaves the others as they were.
 * A consumer draws on its own reservation, else on that of the first of its groups that has one, else on the pool.
 * Consumers that the same rows name have the same policy, and it is one object.
 */
import { POOL } from "../shares/types.ts";
import { type LimitName, RATE_LIMITS, type RateLimitKind, WINDOW_MS } from "./limits.ts";
import type {
  EffectiveLimit,
  EffectivePolicy,
  EffectiveRate,
  PolicyHolder,
  PolicySource,
  ValueSource,
} from "./types.ts";

const DEFAULT: ValueSource = { kind: "default" };

/** The policies of one deployment's consumers. Those whom the same rows decide have one between them, worked out once. */
export class Policies {
  readonly #source: PolicySource;
  readonly #named: ReadonlySet<string>;
  readonly #default: EffectivePolicy;
  /** By the rows that decide. */
  readonly #known = new Map<string, EffectivePolicy>();

  constructor(source: PolicySource) {
    this.#source = source;
    this.#named = new Set([...source.exceptions.keys(), ...source.reservations.keys(), ...source.modes.keys()]);
    this.#default = effectivePolicy(source, { name: "", groups: [] });
  }

  /** What holds for `holder`. */
  of(holder: PolicyHolder): EffectivePolicy {
    let rows = "";
    if (this.#named.has(holder.name)) rows = holder.name;
    for (const group of holder.groups) if (this.#named.has(group)) rows += `\n${group}`;
    // Remote addresses come without end and have no rows: they take no memory here.
    if (rows === "") return this.#default;
    const known = this.#known.get(rows);
    if (known !== undefined) return known;
    const policy = effectivePolicy(this.#source, holder);
    this.#known.set(rows, policy);
    return policy;
  }
}

/** What holds for one consumer, worked out anew. */
export function effectivePolicy(source: PolicySource, holder: PolicyHolder): EffectivePolicy {
  const names = [holder.name, ...holder.groups];
  const first = <V>(rows: ReadonlyMap<string, V>): V | undefined =>
    names.map((name) => rows.get(name)).find((value) => value !== undefined);
  return {
    inputTokens: effectiveLimit(source, holder, "input_tokens"),
    concurrentRequests: effectiveLimit(source, holder, "concurrent_requests"),
    rates: RATE_LIMITS.map((kind) => effectiveRate(source, holder, kind)).filter((rate) => rate !== undefined),
    strict:
      names.map((name) => source.exceptions.get(name)?.strict).find((strict) => strict !== undefined) ??
      source.limits.strict ??
      false,
    share: names.find((name) => source.reservations.has(name)) ?? POOL,
    mode: first(source.modes) ?? source.mode,
  };
}

function effectiveRate(source: PolicySource, holder: PolicyHolder, kind: RateLimitKind): EffectiveRate | undefined {
  const limit = effectiveLimit(source, holder, kind.name);
  return limit && { ...limit, name: kind.name, counted: kind.counted, windowMs: WINDOW_MS[kind.window] };
}

function effectiveLimit(source: PolicySource, holder: PolicyHolder, limit: LimitName): EffectiveLimit | undefined {
  for (const name of [holder.name, ...holder.groups]) {
    const value = source.exceptions.get(name)?.values[limit];
    if (value === undefined) continue;
    return {
      name: limit,
      value,
      source: { kind: "exception", of: name === holder.name ? "consumer" : "group", name },
    };
  }
  const value = source.limits.values[limit];
  return value === undefined ? undefined : { name: limit, value, source: DEFAULT };
}
