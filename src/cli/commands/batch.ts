import { writeFileSync } from "node:fs";

import { fileError } from "../../batch/file-error.ts";
import type { BadLine } from "../../batch/input/parse-row.ts";
import { LockedError } from "../../batch/journal/lock.ts";
import { dryRun, project } from "../../batch/progress/projection.ts";
import { type BatchSummary, summarize } from "../../batch/progress/summary.ts";
import { openBatch } from "../../batch/run/batch-file.ts";
import type { BatchFile, BatchFileOptions, BatchRefusal } from "../../batch/run/batch-file-types.ts";
import type { BatchListener } from "../../batch/run/types.ts";
import { systemClock } from "../../engine/clock.ts";
import { CommandError, EXIT, type ExitCode } from "../exit.ts";
import { formatCount } from "../format.ts";
import { ownLimits, tooFewFiles } from "../open-files.ts";
import { hasColor, paletteFor, type Terminal } from "../terminal.ts";
import { dryRunLines, projectionLines, summaryLines, wrapLines } from "../view/batch-summary.ts";
import { BatchView } from "../view/batch-view.ts";
import { type BatchFlags, type BatchSettings, readBatchFlags } from "./batch-options.ts";

/** Lines of mistakes that are shown; the rest is counted. */
const MOST_SHOWN = 20;

/** Sends the rows of a file under limits, and writes their answers to another. */
export async function batch(input: string, flags: BatchFlags): Promise<ExitCode> {
  const settings = readBatchFlags(input, flags, process.env);
  const { file, missingKey } = settings;
  if (missingKey !== undefined) process.stderr.write(`headgate: ${missingKey} is not set, so no key is sent\n`);
  const tooFew = file.dryRun === true ? undefined : tooFewFiles(file.concurrency ?? 1, ownLimits());
  if (tooFew !== undefined) throw new CommandError(`${tooFew}; nothing was sent`, EXIT.usage);
  const badLines: BadLine[] = [];
  let view: BatchView | undefined;
  const listener: BatchListener = {
    retrying: ({ message }) => view?.problem(message),
    finished: (result) => {
      if (result.kind === "failed") view?.problem(result.message);
    },
  };
  const badLine = (problem: BadLine): void => {
    if (badLines.length < MOST_SHOWN) badLines.push(problem);
  };
  const opened = await open({ ...file, listener, badLine });
  if (opened.kind === "refused") throw refusal(opened.refusal, input);
  const { batch: ready } = opened;
  if (file.dryRun === true) return showPlan(ready, settings);
  const { stderr, env } = process;
  view = new BatchView({
    mode: settings.progress ?? (stderr.isTTY && env["CI"] === undefined ? "bar" : "text"),
    progress: () => ready.progress(),
    terminal: stderr,
    palette: paletteFor(hasColor(stderr, env)),
    clock: systemClock,
  });
  return run(ready, settings, { view, badLines });
}

async function open(options: BatchFileOptions): ReturnType<typeof openBatch> {
  try {
    return await openBatch(options);
  } catch (error) {
    if (error instanceof LockedError) throw new CommandError(error.message, EXIT.failed, { cause: error });
    throw error;
  }
}

async function run(
  ready: BatchFile,
  settings: BatchSettings,
  { view, badLines }: { readonly view: BatchView; readonly badLines: readonly BadLine[] },
): Promise<ExitCode> {
  const { plan } = ready;
  if (plan.repairedBytes > 0) process.stderr.write("headgate: cut off a line that an earlier run did not finish\n");
  if (plan.isPastLost)
    process.stderr.write(
      "headgate: a crash has cut off the journal; under limits, nothing goes out for a window first\n",
    );
  const signals = new Signals(ready, view);
  view.start();
  try {
    const facts = await ready.run();
    view.stop();
    const summary = summarize(plan, facts);
    if (badLines.length > 0)
      process.stderr.write(`headgate: ${badLinesText({ first: badLines, count: facts.badLines }, "standard input")}\n`);
    if (plan.paths.output !== "-") writeSummary(plan.paths.summary, summary);
    show(summary, settings, ready);
    return signals.code ?? exitCode(summary);
  } finally {
    view.stop();
    signals.close();
  }
}

/** The table goes to standard output, unless the answers do. */
function show(summary: BatchSummary, { file, json }: BatchSettings, { plan, equipment }: BatchFile): void {
  const terminal = plan.paths.output === "-" ? process.stderr : process.stdout;
  const palette = paletteFor(hasColor(terminal, process.env));
  const { limits = [], price, concurrency = 1, sample } = file;
  const rows = plan.preflight?.left ?? 0;
  const projection = sample === undefined ? undefined : project(equipment.tally, { rows, price, limits, concurrency });
  if (json) return print(terminal, [JSON.stringify({ ...summary, projection }, undefined, 2)]);
  const told = projection === undefined ? [] : [...projectionLines(projection, palette), ""];
  print(terminal, wrapLines(["", ...summaryLines(summary, palette), "", ...told], terminal.columns));
}

function writeSummary(path: string, summary: BatchSummary): void {
  try {
    writeFileSync(path, `${JSON.stringify(summary, undefined, 2)}\n`);
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

async function showPlan(ready: BatchFile, { file, json }: BatchSettings): Promise<ExitCode> {
  await ready.close();
  const plan = dryRun(ready.plan, file.limits ?? [], file.price);
  const palette = paletteFor(hasColor(process.stdout, process.env));
  if (json) print(process.stdout, [JSON.stringify(plan, undefined, 2)]);
  else print(process.stdout, wrapLines(["", ...dryRunLines(plan, palette), ""], process.stdout.columns));
  return EXIT.ok;
}

function print(terminal: Terminal, lines: readonly string[]): void {
  terminal.write(`${lines.join("\n")}\n`);
}

function exitCode({ ended, rows }: BatchSummary): ExitCode {
  if (ended === "stopped") return EXIT.stopped;
  return rows.failed + rows.failed_before + rows.bad_lines === 0 ? EXIT.ok : EXIT.rowsFailed;
}

function refusal(refused: BatchRefusal, input: string): CommandError {
  switch (refused.kind) {
    case "unsuitable":
      return new CommandError(refused.message, EXIT.usage);
    case "unreadable":
      return new CommandError(refused.message, EXIT.failed);
    case "changed":
      return new CommandError(
        [
          `${refused.output} was begun with something else:`,
          ...refused.changes,
          "--force goes on all the same, and drops answers to what is asked differently now; -o OUTPUT begins anew",
        ].join("\n  "),
        EXIT.usage,
      );
    case "bad_lines":
      return new CommandError(
        `${badLinesText(refused, input)}\n  nothing was sent; --skip-bad-lines sends the others`,
        EXIT.usage,
      );
  }
}

/** The first lines that are no rows, and how many there are. */
function badLinesText({ first, count }: { first: readonly BadLine[]; count: number }, input: string): string {
  const lines = first
    .slice(0, MOST_SHOWN)
    .map(({ line, rule, value }) => `${input}:${line}: ${rule}${value === "" ? "" : `, got ${value}`}`);
  const more = count > lines.length ? [`and ${formatCount(count - lines.length)} more`] : [];
  const total = count === 1 ? "1 line is no row:" : `${formatCount(count)} lines are no rows:`;
  return [total, ...lines, ...more].join("\n  ");
}

/** Ctrl-C; the system; a terminal that was closed. What the process ends with after each. */
const SIGNALS: ReadonlyMap<NodeJS.Signals, ExitCode> = new Map([
  ["SIGINT", EXIT.interrupted],
  ["SIGTERM", EXIT.terminated],
  ["SIGHUP", EXIT.hungUp],
]);

/** The first signal lets what is in flight end, the second gives it up. */
class Signals {
  readonly #batch: BatchFile;
  readonly #view: BatchView;
  /** What the process ends with, where a signal came. */
  code: ExitCode | undefined;

  constructor(batch: BatchFile, view: BatchView) {
    this.#batch = batch;
    this.#view = view;
    for (const signal of SIGNALS.keys()) process.on(signal, this.#hear);
  }

  close(): void {
    for (const signal of SIGNALS.keys()) process.off(signal, this.#hear);
  }

  readonly #hear = (signal: NodeJS.Signals): void => {
    if (this.code !== undefined) return this.#batch.abort();
    this.code = SIGNALS.get(signal) ?? EXIT.terminated;
    this.#batch.drain();
    this.#view.draining();
  };
}
