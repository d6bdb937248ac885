import type { Fact } from "./diff/fact.ts";
import { factsOf } from "./diff/facts.ts";
import { escapeInvisible } from "./show.ts";
import type { Config } from "./types.ts";

/** One thing in which two configurations differ. No field ever holds a secret. */
export interface Change {
  /** The key in the file: `deployments["gpt-oss-20b"].limits.requests_per_minute`. Backends are named by URL, keys by digest. */
  readonly path: string;
  /** `gpt-oss-20b: requests_per_minute of intern-notebook 20 → 40 (exception)`. */
  readonly text: string;
  /** Whether only a restart brings it about. */
  readonly needsRestart: boolean;
}

/**
 * What changes from one configuration to the other, in words and in the order of the file. It compares what they mean, not how
 * they were written: `1m` and `60s` are no change, and neither is a default that is now written out. What is new or gone as a
 * whole is one change.
 */
export function diffConfigs(before: Config, after: Config): readonly Change[] {
  const [old, next] = [byPath(before), byPath(after)];
  return inOrder(old, next).flatMap((path) => {
    const [from, to] = [old.get(path), next.get(path)];
    const fact = to ?? from;
    if (fact === undefined || goesWithoutSaying(fact, old, next)) return [];
    const change = describe(from, to);
    if (change === undefined) return [];
    const needsRestart = fact.needsRestart === true;
    const text = escapeInvisible(`${fact.label} ${change}`);
    return [{ path, text, needsRestart }];
  });
}

type Facts = ReadonlyMap<string, Fact>;

function byPath(config: Config): Facts {
  return new Map([...factsOf(config)].map((fact) => [fact.path, fact]));
}

/** The paths of both: those of the new one in their order, and what is gone where it stood. */
function inOrder(old: Facts, next: Facts): readonly string[] {
  const gone = new Map<string, string[]>();
  let behind: string[] = [];
  gone.set("", behind);
  for (const path of old.keys()) {
    if (next.has(path)) gone.set(path, (behind = []));
    else behind.push(path);
  }
  return ["", ...next.keys()].flatMap((path) => [...(path === "" ? [] : [path]), ...(gone.get(path) ?? [])]);
}

/** A part of something that is new or gone as a whole. */
function goesWithoutSaying({ partOf }: Fact, old: Facts, next: Facts): boolean {
  return partOf !== undefined && !(old.has(partOf) && next.has(partOf));
}

/** The end of the sentence, or nothing where both say the same. */
function describe(from: Fact | undefined, to: Fact | undefined): string | undefined {
  if (to === undefined) return from?.kind === "value" && from.secret !== true ? arrow(from, to) : "is gone";
  if (to.kind === "thing")
    return from === undefined ? `is new${to.detail === undefined ? "" : `: ${to.detail}`}` : undefined;
  if (to.secret !== true) return arrow(from, to);
  if (from === undefined) return "is new";
  return from.kind === "value" && from.value === to.value ? undefined : "has changed";
}

function arrow(from: Fact | undefined, to: Fact | undefined): string | undefined {
  const [old, next] = [valueOf(from), valueOf(to)];
  const fact = to ?? from;
  const note = fact?.kind === "value" && fact.note !== undefined ? ` (${fact.note})` : "";
  return old === next ? undefined : `${old} → ${next}${note}`;
}

function valueOf(fact: Fact | undefined): string {
  return fact?.kind === "value" ? fact.value : "none";
}
