import { systemClock, systemRandom } from "../../engine/clock.ts";
import type { BadLine, RowDefaults } from "../input/parse-row.ts";
import { type Before, preflight } from "../input/preflight.ts";
import { fileRows, streamRows } from "../input/row-stream.ts";
import { Journal, type JournalPast, readJournal } from "../journal/journal.ts";
import { takeLock } from "../journal/lock.ts";
import { type BatchPaths, batchPaths, defaultOutput, STDIO } from "../journal/paths.ts";
import { Appender, type LineSink } from "../output/appender.ts";
import { FileSink } from "../output/file-sink.ts";
import { ForeignFileError, readFinished } from "../output/finished.ts";
import { LaterFile } from "../output/later-file.ts";
import type { BatchFile, BatchFileOptions, BatchPlan, OpenedBatch } from "./batch-file-types.ts";
import { type Equipment, equip } from "./equipment.ts";
import { InputFeed } from "./feed.ts";
import { changesOf, headerOf, longestWindow, mend, tidy } from "./past.ts";

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

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}

const NOWHERE: LineSink = {
  append: () => {},
  room: () => Promise.resolve(),
  isFull: false,
  close: () => Promise.resolve(),
};
