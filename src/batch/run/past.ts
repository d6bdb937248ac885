import { existsSync, rmSync } from "node:fs";

import type { Ms } from "../../core/units.ts";
import { withFile } from "../file-error.ts";
import type { IdTable } from "../input/id-table.ts";
import type { Preflight } from "../input/preflight.ts";
import { differences, type JournalHeader, type JournalPast } from "../journal/journal.ts";
import type { BatchPaths } from "../journal/paths.ts";
import { parseLimit } from "../limiter/parse-limit.ts";
import { type Finished, keepLines } from "../output/finished.ts";
import { repairTail } from "../output/repair.ts";
import { costOf } from "../progress/tally.ts";
import type { Price } from "./types.ts";
import { parseBase, USUAL_PREFIX } from "../transport/endpoint.ts";
import type { BatchFileOptions } from "./batch-file-types.ts";

/** With `limits: ["auto"]` nobody knows the windows in advance. */
const USUAL_WINDOW_MS: Ms = 60_000;

/** Makes files end in whole lines. Returns how many bytes were cut off. */
export async function mend({ output, errors }: BatchPaths): Promise<number> {
  let bytes = 0;
  for (const path of [output, errors]) {
    if (!existsSync(path)) continue;
    const repair = await withFile("write", path, () => repairTail(path));
    if (repair.kind === "cut") bytes += repair.bytes;
  }
  return bytes;
}

/** Brings the files into the state that this run begins with: no failures that are tried again, no answers to old requests. */
export async function tidy(
  { retryFailed = false, force = false }: BatchFileOptions,
  paths: BatchPaths,
  ids: IdTable | undefined,
): Promise<void> {
  rmSync(paths.badLines, { force: true });
  if (retryFailed) rmSync(paths.errors, { force: true });
  if (ids === undefined || !force) return;
  for (const path of [paths.output, paths.errors])
    await withFile("write", path, () =>
      keepLines(path, ({ customId, fingerprint }) => (ids.get(customId)?.fingerprint ?? fingerprint) === fingerprint),
    );
}

/** What a run begins its output with. */
export function headerOf(options: BatchFileOptions, looked: Preflight | undefined): JournalHeader {
  const { url, model, api = "openai", headers = {} } = options;
  // Values of headers may be secrets.
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const settings = {
    "--url": withoutValues(url),
    "--api": api,
    ...(model !== undefined && { "--model": model }),
    ...(names.length > 0 && { "--header": names.sort().join(", ") }),
  };
  const input = looked && { file: options.input, rows: looked.rows, sha256: looked.sha256 };
  return { settings, input };
}

/**
 * What an output was begun with, as far as this input does not change it: one that names its models does not need `--model`,
 * and a file of the output's own failures is a part of what there was.
 */
export function goingOn(old: JournalHeader | undefined, next: JournalHeader, looked: Preflight): JournalHeader {
  if (old === undefined) return next;
  const { "--model": model } = old.settings;
  const { "--model": _, ...others } = next.settings;
  const settings = looked.needsModel ? next.settings : { ...others, ...(model !== undefined && { "--model": model }) };
  return { settings, input: looked.isOfFailures ? old.input : next.input };
}

/** A query may hold a key: only its names are kept. */
function withoutValues(url: string): string {
  const base = parseBase(url);
  if (typeof base === "string") return url;
  const { origin, pathname, searchParams } = base;
  const names = [...new Set(searchParams.keys())].sort();
  return origin + (pathname.replace(/\/+$/, "") || USUAL_PREFIX) + (names.length === 0 ? "" : `?${names.join("&")}`);
}

/** What speaks against going on with an output: one sentence each. */
export function changesOf(facts: {
  readonly past: JournalPast | undefined;
  readonly header: JournalHeader;
  readonly looked: Preflight | undefined;
  readonly hasAnswers: boolean;
}): readonly string[] {
  const { past, header, looked, hasAnswers } = facts;
  if (!hasAnswers) return [];
  const changes = past?.header === undefined ? [] : [...differences(past.header, header)];
  const { count = 0, first = [] } = looked?.changed ?? {};
  const example = first[0];
  if (example !== undefined) {
    const rows = count === 1 ? "1 finished row asks" : `${count} finished rows ask`;
    changes.push(`${rows} something else now, the first is ${example.customId} in line ${example.line}`);
  }
  return changes;
}

/** What the answers cost that an output has; those that do not say what they used are estimated by their rows. */
export function costOfAnswers(
  price: Price | undefined,
  { tokens, withoutUsage }: Finished,
  looked: Preflight | undefined,
): number | undefined {
  const known = costOf(price, tokens.input, tokens.output);
  if (known === undefined || looked === undefined || withoutUsage === 0) return known;
  const { input, output } = looked.answeredTokens;
  return known + ((costOf(price, input, output) ?? 0) * withoutUsage) / Math.max(1, looked.answeredBefore);
}

/** Whether tokens count. With `"auto"` nobody knows in advance. */
export function hasTokenLimits({ limits = [] }: BatchFileOptions): boolean {
  return limits.some((limit) => {
    if (typeof limit !== "string") return limit.unit === "tokens";
    const reading = parseLimit(limit);
    return reading.kind === "refused" || reading.limit.unit === "tokens";
  });
}

/** How far back sends matter for the limits that are given. */
export function longestWindow({ limits = [] }: BatchFileOptions): Ms {
  const windows = limits.map((limit) => {
    if (typeof limit !== "string") return limit.windowMs;
    const reading = parseLimit(limit);
    return reading.kind === "read" ? reading.limit.windowMs : USUAL_WINDOW_MS;
  });
  return Math.max(0, ...windows);
}
