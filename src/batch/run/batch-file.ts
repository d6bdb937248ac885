import type { EpochMs } from "../../core/units.ts";
import { systemClock, systemRandom } from "../../engine/clock.ts";
import { FileError, withFile } from "../file-error.ts";
import { IdTable } from "../input/id-table.ts";
import type { RowDefaults } from "../input/parse-row.ts";
import { type Before, preflight } from "../input/preflight.ts";
import { fileRows, type StreamListener, streamRows } from "../input/row-stream.ts";
import { Journal, JournalError, type JournalHeader, type JournalPast, readJournal } from "../journal/journal.ts";
import { takeLock } from "../journal/lock.ts";
import { type BatchPaths, batchPaths, defaultOutput, STDIO } from "../journal/paths.ts";
import { Appender, type LineSink } from "../output/appender.ts";
import { FileSink } from "../output/file-sink.ts";
import { type Finished, ForeignFileError, readFinished } from "../output/finished.ts";
import { LaterFile } from "../output/later-file.ts";
import type { BatchFile, BatchFileOptions, BatchPlan, BatchRefusal, OpenedBatch } from "./batch-file-types.ts";
import { checkFiles } from "./check-files.ts";
import { type Equipment, equip } from "./equipment.ts";
import { InputFeed } from "./feed.ts";
import { changesOf, costOfAnswers, goingOn, hasTokenLimits, headerOf, longestWindow, mend, tidy } from "./past.ts";
import type { RunnerOptions } from "./runner.ts";

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
    await checkFiles(input, paths);
    if (options.dryRun !== true && output !== STDIO)
      release = await withFile("write", paths.lock, () => takeLock(paths.lock));
    const opened = await prepare(options, paths, release);
    if (opened.kind === "refused") release();
    return opened;
  } catch (error) {
    release();
    const refused = refusalFor(error);
    if (refused === undefined) throw error;
    return { kind: "refused", refusal: refused };
  }
}

function refusalFor(error: unknown): BatchRefusal | undefined {
  if (error instanceof ForeignFileError || error instanceof JournalError)
    return { kind: "unsuitable", message: error.message };
  return error instanceof FileError ? { kind: "unreadable", message: error.message } : undefined;
}

async function prepare(options: BatchFileOptions, paths: BatchPaths, release: () => void): Promise<OpenedBatch> {
  const { input, clock = systemClock, random = systemRandom, api = "openai" } = options;
  const hasOutput = paths.output !== STDIO;
  const isDry = options.dryRun === true;
  const repairedBytes = hasOutput && !isDry ? await mend(paths) : 0;
  const finished = (path: string): Promise<Finished> => withFile("read", path, () => readFinished(path));
  const answers = await finished(hasOutput ? paths.output : "");
  const failures = await finished(hasOutput ? paths.errors : "");
  const before = { answered: answers.ids, failed: options.retryFailed === true ? new IdTable() : failures.ids };
  const defaults: RowDefaults = { model: options.model, api };
  const wantsTokens = isDry && (options.limits ?? []).length > 0;
  const wantsAnsweredTokens = options.price !== undefined && answers.withoutUsage > 0;
  const { sample } = options;
  const ways = { defaults, before, failures: failures.ids, sample, random, wantsTokens, wantsAnsweredTokens };
  const look = input === STDIO ? undefined : await preflight(input, ways);
  const looked = look?.found;
  if (looked !== undefined && looked.bad.count > 0 && options.skipBadLines !== true)
    return { kind: "refused", refusal: { kind: "bad_lines", ...looked.bad } };

  const past = hasOutput ? await readPast(paths.journal, clock.wall() - longestWindow(options)) : undefined;
  const ownHeader = headerOf(options, looked);
  const header = looked === undefined ? ownHeader : goingOn(past?.header, ownHeader, looked);
  const hasAnswers = before.answered.size + before.failed.size > 0;
  const changes = changesOf({ past, header, looked, hasAnswers });
  if (changes.length > 0 && options.force !== true)
    return { kind: "refused", refusal: { kind: "changed", output: paths.output, changes } };
  const isPastLost = past !== undefined && past.header === undefined;
  const plan: BatchPlan = { paths, preflight: looked, repairedBytes, isPastLost };
  if (hasOutput && !isDry) await tidy(options, paths, look?.ids);
  const costBefore = costOfAnswers(options.price, answers, looked);
  const pausedUntil = options.force === true ? undefined : pauseLeft(past, clock.wall());
  const beginning = {
    plan,
    header,
    past: { sent: past?.sent ?? [], pausedUntil },
    before,
    defaults,
    costBefore,
    release,
  };
  return { kind: "ready", batch: await begin(options, beginning) };
}

function readPast(path: string, keepAfter: EpochMs): Promise<JournalPast | undefined> {
  return withFile("read", path, () => readJournal(path, keepAfter));
}

/** Until when the server asked not to be asked, where that is still to come. */
function pauseLeft(past: JournalPast | undefined, now: EpochMs): EpochMs | undefined {
  const until = past?.pausedUntil ?? 0;
  return until > now ? until : undefined;
}

interface Beginning {
  readonly plan: BatchPlan;
  readonly header: JournalHeader;
  readonly past: Omit<JournalPast, "header">;
  readonly before: Before;
  readonly defaults: RowDefaults;
  readonly costBefore: number | undefined;
  readonly release: () => void;
}

async function begin(options: BatchFileOptions, beginning: Beginning): Promise<BatchFile> {
  const { plan, before, defaults, costBefore, release } = beginning;
  const { paths, preflight: looked } = plan;
  const { concurrency = 50 } = options;
  const isDry = options.dryRun === true;
  const counts = {
    answeredBefore: looked?.answeredBefore ?? 0,
    failedBefore: looked?.failedBefore ?? 0,
    badLines: looked?.bad.count ?? 0,
  };
  const failed = (error: unknown): void => equipment.runner.fail(error);
  const later = (path: string): LineSink => (isDry ? NOWHERE : new LaterFile(path, failed));
  const journal =
    isDry || paths.output === STDIO ? undefined : new Journal(paths.journal, beginning.header, beginning.past);
  const closeFiles = async (): Promise<void> => {
    try {
      await sink.close();
    } finally {
      await bad.close();
      journal?.close();
    }
  };
  const sink = new FileSink({
    answers: isDry ? NOWHERE : await openAnswers(options, paths.output, failed),
    failures: later(paths.errors),
    inOrderWithin: options.order === "input" ? Math.max(LEAST_AHEAD, concurrency * 10) : undefined,
  });
  const bad = later(paths.badLines);
  for (const problem of looked?.bad.first ?? []) bad.append(`${JSON.stringify(problem)}\n`);
  const listener: StreamListener = {
    bad: (problem) => {
      counts.badLines += 1;
      bad.append(`${JSON.stringify(problem)}\n`);
      options.badLine?.(problem);
    },
    finishedBefore: (kind) => {
      if (kind === "answered") counts.answeredBefore += 1;
      else counts.failedBefore += 1;
    },
  };
  const rows =
    looked === undefined
      ? streamRows(options.stdin ?? process.stdin, { defaults, before, listener })
      : fileRows(options.input, { todo: looked.todo, defaults });
  const spentBefore = costBefore ?? 0;
  const parts = { feed: new InputFeed(rows), sink, total: looked?.todo.size, history: beginning.past.sent };
  const cautious = plan.isPastLost ? { ...options, coldStart: "busy" as const } : options;
  let equipment: Equipment;
  try {
    equipment = equip(cautious, {
      ...parts,
      spentBefore,
      noteSend: sendNotes(options, journal, failed),
      pausedUntil: beginning.past.pausedUntil,
      notePause: (until) => noting(failed, () => journal?.paused(until)),
    });
  } catch (error) {
    await closeFiles();
    throw error;
  }
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    try {
      await equipment.close();
      await closeFiles();
    } finally {
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
        return { ending, progress, ...counts, costBefore };
      } finally {
        await close();
      }
    },
  };
}

function noting(failed: (error: unknown) => void, write: () => void): void {
  try {
    write();
  } catch (error) {
    failed(error);
  }
}

/** Notes what goes out under limits, and what it used where limits count that. */
function sendNotes(
  options: BatchFileOptions,
  journal: Journal | undefined,
  failed: (error: unknown) => void,
): RunnerOptions["noteSend"] {
  const { clock = systemClock, limits = [] } = options;
  const countsTokens = hasTokenLimits(options);
  if (journal === undefined || limits.length === 0) return () => () => {};
  return ({ cost: { tokens } }) => {
    const at = clock.wall();
    noting(failed, () => journal.sent({ at, tokens }));
    return (used) => {
      if (countsTokens && used !== tokens) noting(failed, () => journal.used(at, used - tokens));
    };
  };
}

function openAnswers(
  { stdout }: BatchFileOptions,
  path: string,
  failed: (error: unknown) => void,
): Promise<LineSink> | LineSink {
  return path === STDIO ? Appender.onto(stdout ?? process.stdout, failed) : Appender.open(path, failed);
}

const NOWHERE: LineSink = {
  append: () => {},
  room: () => Promise.resolve(),
  isFull: false,
  close: () => Promise.resolve(),
};
