import { existsSync, rmSync } from "node:fs";

import { systemClock, systemRandom } from "../../engine/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { IdTable } from "../input/id-table.ts";
import type { BadLine, RowDefaults } from "../input/parse-row.ts";
import { type Before, type Preflight, preflight } from "../input/preflight.ts";
import { fileRows, streamRows } from "../input/row-stream.ts";
import { parseLimit } from "../limiter/parse-limit.ts";
import { differences, Journal, type JournalHeader, type JournalPast, readJournal } from "../journal/journal.ts";
import { takeLock } from "../journal/lock.ts";
import { type BatchPaths, batchPaths, defaultOutput, STDIO } from "../journal/paths.ts";
import { Appender, type LineSink } from "../output/appender.ts";
import { FileSink } from "../output/file-sink.ts";
import { LaterFile } from "../output/later-file.ts";
import { ForeignFileError, isOurs, keepLines, readFinished } from "../output/finished.ts";
import { repairTail } from "../output/repair.ts";
import { type Equipment, equip, type SendOptions } from "./equipment.ts";
import { InputFeed } from "./feed.ts";
import type { BatchProgress, RunEnding } from "./types.ts";

export interface BatchFileOptions extends SendOptions {
  /** A file of rows, or `-` for standard input. */
  readonly input: string;
  /** Default: the input's name with `.out.jsonl`. `-` is standard output, where nothing can be resumed. */
  readonly output?: string | undefined;
  /** Of rows that name none. */
  readonly model?: string | undefined;
  /** Default `"completion"`: lines of the output stand in the order in which answers come. */
  readonly order?: "completion" | "input";
  /** Goes on although the input or the settings have changed; answers to rows that ask something else by now are dropped. */
  readonly force?: boolean;
  /** Forgets the failures of earlier runs, so that their rows are sent again. */
  readonly retryFailed?: boolean;
  /** Leaves lines out that are no rows, rather than refusing the input for them. */
  readonly skipBadLines?: boolean;
  /** Asks only so many rows, at random. */
  readonly sample?: number | undefined;
  /** Looks only: nothing is written, nothing is sent. */
  readonly dryRun?: boolean;
  /** Where rows come from if `input` is `-`, and where answers go if `output` is. */
  readonly stdin?: AsyncIterable<Buffer>;
  readonly stdout?: NodeJS.WritableStream;
}

/** Why a batch does not begin. */
export type BatchRefusal =
  | { readonly kind: "bad_lines"; readonly count: number; readonly first: readonly BadLine[] }
  /** What has changed since the output was begun: one sentence each. */
  | { readonly kind: "changed"; readonly output: string; readonly changes: readonly string[] }
  | { readonly kind: "unreadable"; readonly message: string };

/** What there is to do. Counts are `undefined` for standard input, which nobody knows in advance. */
export interface BatchPlan {
  readonly paths: BatchPaths;
  readonly preflight: Preflight | undefined;
  /** Bytes that a killed process had left of a line. */
  readonly repairedBytes: number;
}

/** How a batch of files has ended. */
export interface BatchFileEnding {
  readonly ending: RunEnding;
  readonly progress: BatchProgress;
  readonly answeredBefore: number;
  readonly failedBefore: number;
  readonly badLines: number;
}

/** A batch that is ready. Run it or close it. */
export interface BatchFile {
  readonly plan: BatchPlan;
  /** Once. Rejects where files cannot be read or written; what is written then stays good for the next run. */
  run(): Promise<BatchFileEnding>;
  progress(): BatchProgress;
  readonly equipment: Equipment;
  /** Begins nothing more. */
  drain(): void;
  /** Gives up what is in flight. */
  abort(): void;
  /** Lets go of everything. */
  close(): Promise<void>;
}

export type OpenedBatch =
  | { readonly kind: "ready"; readonly batch: BatchFile }
  | { readonly kind: "refused"; readonly refusal: BatchRefusal };

/** With `limits: ["auto"]` nobody knows the windows in advance. */
const USUAL_WINDOW_MS: Ms = 60_000;
/** Rows that may be ahead of the oldest unfinished one, where the output is in the order of the input. */
const LEAST_AHEAD = 1_000;

/**
 * Makes a batch ready: takes the output for this process, mends what a killed one has left, reads what is finished, and looks
 * through the input. Throws RangeError for options that cannot be kept, `LockedError` where another run has the output.
 */
export async function openBatch(options: BatchFileOptions): Promise<OpenedBatch> {
  const { input, output = defaultOutput(input) } = options;
  const paths = batchPaths(input, output);
  let release = (): void => {};
  try {
    if (options.dryRun !== true && output !== STDIO) release = takeLock(paths.lock);
    const opened = await prepare(options, paths, release);
    if (opened.kind === "refused") release();
    return opened;
  } catch (error) {
    release();
    if (error instanceof ForeignFileError || isSystemError(error))
      return { kind: "refused", refusal: { kind: "unreadable", message: error.message } };
    throw error;
  }
}

async function prepare(options: BatchFileOptions, paths: BatchPaths, release: () => void): Promise<OpenedBatch> {
  const { input, clock = systemClock, random = systemRandom, api = "openai" } = options;
  const hasOutput = paths.output !== STDIO;
  const isDry = options.dryRun === true;
  const repairedBytes = hasOutput && !isDry ? await mend(paths) : 0;
  const answered = await readFinished(hasOutput ? paths.output : "");
  const failed = await readFinished(hasOutput && options.retryFailed !== true ? paths.errors : "");
  const before = { answered, failed };
  const defaults: RowDefaults = { model: options.model, api };
  const wantsTokens = isDry && (options.limits ?? []).length > 0;
  const look =
    input === STDIO
      ? undefined
      : await preflight(input, { defaults, before, sample: options.sample, random, wantsTokens });
  const looked = look?.found;
  if (looked !== undefined && looked.bad.count > 0 && options.skipBadLines !== true)
    return { kind: "refused", refusal: { kind: "bad_lines", ...looked.bad } };

  const past = hasOutput ? await readJournal(paths.journal, clock.wall() - longestWindow(options)) : undefined;
  const header = headerOf(options, looked);
  const changes = changesOf({ past, header, looked, hasAnswers: answered.size + failed.size > 0 });
  if (changes.length > 0 && options.force !== true)
    return { kind: "refused", refusal: { kind: "changed", output: paths.output, changes } };
  const plan: BatchPlan = { paths, preflight: looked, repairedBytes };
  if (hasOutput && !isDry) await tidy(options, paths, look?.ids);
  const session = await begin(options, { plan, past: { header, sent: past?.sent ?? [] }, before, defaults, release });
  return { kind: "ready", batch: session };
}

interface Beginning {
  readonly plan: BatchPlan;
  readonly past: JournalPast;
  readonly before: Before;
  readonly defaults: RowDefaults;
  readonly release: () => void;
}

async function begin(options: BatchFileOptions, beginning: Beginning): Promise<BatchFile> {
  const { plan, past, before, defaults, release } = beginning;
  const { paths, preflight: looked } = plan;
  const { clock = systemClock, concurrency = 50 } = options;
  const isDry = options.dryRun === true;
  let answeredBefore = looked?.answeredBefore ?? 0;
  let failedBefore = looked?.failedBefore ?? 0;
  let badLines = looked?.bad.count ?? 0;
  const failed = (error: unknown): void => equipment.runner.fail(error);
  const later = (path: string): LineSink => (isDry ? NOWHERE : new LaterFile(path, failed));
  const sink = new FileSink({
    answers: isDry ? NOWHERE : await openAnswers(options, paths.output, failed),
    failures: later(paths.errors),
    inOrderWithin: options.order === "input" ? Math.max(LEAST_AHEAD, concurrency * 10) : undefined,
  });
  const bad = later(paths.badLines);
  for (const problem of looked?.bad.first ?? []) bad.append(`${JSON.stringify(problem)}\n`);
  const listener = {
    bad: (problem: BadLine) => {
      badLines += 1;
      bad.append(`${JSON.stringify(problem)}\n`);
    },
    finishedBefore: (kind: "answered" | "failed") => {
      if (kind === "answered") answeredBefore += 1;
      else failedBefore += 1;
    },
  };
  const rows =
    looked === undefined
      ? streamRows(options.stdin ?? process.stdin, { defaults, before, listener })
      : fileRows(options.input, { todo: looked.todo, defaults });
  const hasLimits = (options.limits ?? []).length > 0;
  const journal = isDry || paths.output === STDIO ? undefined : new Journal(paths.journal, past);
  const noteSend: Parameters<typeof equip>[1]["noteSend"] = (estimate) => {
    if (hasLimits) journal?.sent({ at: clock.wall(), tokens: estimate.cost.tokens });
  };
  const parts = { feed: new InputFeed(rows), sink, total: looked?.todo.size, history: past.sent, noteSend };
  const equipment: Equipment = equip(options, parts);
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    try {
      await equipment.close();
      await sink.close();
      await bad.close();
    } finally {
      journal?.close();
      release();
    }
  };
  return {
    plan,
    equipment,
    progress: () => equipment.runner.progress(),
    drain: () => equipment.runner.drain(),
    abort: () => equipment.runner.abort(),
    close,
    run: async () => {
      try {
        const ending = await equipment.runner.run();
        const progress = equipment.runner.progress();
        return { ending, progress, answeredBefore, failedBefore, badLines };
      } finally {
        await close();
      }
    },
  };
}

function openAnswers(
  { stdout }: BatchFileOptions,
  path: string,
  failed: (error: unknown) => void,
): Promise<LineSink> | LineSink {
  return path === STDIO ? Appender.onto(stdout ?? process.stdout, failed) : Appender.open(path, failed);
}

/** Makes sure that files are ours and end in whole lines. Returns how many bytes were cut off. */
async function mend({ output, errors }: BatchPaths): Promise<number> {
  let bytes = 0;
  for (const path of [output, errors]) {
    if (!existsSync(path)) continue;
    if (!(await isOurs(path)))
      throw new ForeignFileError(`${path} is no output of headgate batch; give another with -o, or move it away`);
    const repair = await repairTail(path);
    if (repair.kind === "cut") bytes += repair.bytes;
  }
  return bytes;
}

/** Brings the files into the state that this run begins with: no failures that are tried again, no answers to old requests. */
async function tidy(
  { retryFailed = false, force = false }: BatchFileOptions,
  paths: BatchPaths,
  ids: IdTable | undefined,
): Promise<void> {
  rmSync(paths.badLines, { force: true });
  if (retryFailed) rmSync(paths.errors, { force: true });
  if (ids === undefined || !force) return;
  for (const path of [paths.output, paths.errors])
    await keepLines(
      path,
      ({ customId, fingerprint }) => (ids.get(customId)?.fingerprint ?? fingerprint) === fingerprint,
    );
}

function headerOf(options: BatchFileOptions, looked: Preflight | undefined): JournalHeader {
  const { url, model, api = "openai", headers = {} } = options;
  // Values of headers may be secrets.
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const settings = {
    "--url": url.replace(/\/+$/, ""),
    "--api": api,
    ...(model !== undefined && { "--model": model }),
    ...(names.length > 0 && { "--header": names.sort().join(", ") }),
  };
  const input = looked && { file: options.input, rows: looked.rows, sha256: looked.sha256 };
  return { settings, input };
}

/** What speaks against going on with an output: one sentence each. */
function changesOf(facts: {
  readonly past: JournalPast | undefined;
  readonly header: JournalHeader;
  readonly looked: Preflight | undefined;
  readonly hasAnswers: boolean;
}): readonly string[] {
  const { past, header, looked, hasAnswers } = facts;
  if (!hasAnswers) return [];
  const changes = past === undefined ? [] : [...differences(past.header, header)];
  const { count = 0, first = [] } = looked?.changed ?? {};
  const example = first[0];
  if (example !== undefined) {
    const rows = count === 1 ? "1 finished row asks" : `${count} finished rows ask`;
    changes.push(`${rows} something else now, the first is ${example.customId} in line ${example.line}`);
  }
  return changes;
}

function longestWindow({ limits = [] }: BatchFileOptions): Ms {
  const windows = limits.map((limit) => {
    if (typeof limit !== "string") return limit.windowMs;
    const reading = parseLimit(limit);
    return reading.kind === "read" ? reading.limit.windowMs : USUAL_WINDOW_MS;
  });
  return Math.max(0, ...windows);
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}

const NOWHERE: LineSink = {
  append: () => {},
  room: () => Promise.resolve(),
  isFull: false,
  close: () => Promise.resolve(),
};
