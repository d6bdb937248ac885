import { writeFileSync } from "node:fs";

import { LockedError } from "../../batch/journal/lock.ts";
import { dryRun, project } from "../../batch/progress/projection.ts";
import { type BatchSummary, summarize } from "../../batch/progress/summary.ts";
import { openBatch } from "../../batch/run/batch-file.ts";
import type { BatchFile, BatchFileOptions, BatchRefusal } from "../../batch/run/batch-file-types.ts";
import type { BatchListener } from "../../batch/run/types.ts";
import { systemClock } from "../../engine/clock.ts";
import { CommandError, EXIT, type ExitCode } from "../exit.ts";
import { formatCount } from "../format.ts";
import { hasColor, paletteFor, type Terminal } from "../terminal.ts";
import { dryRunLines, projectionLines, summaryLines } from "../view/batch-summary.ts";
import { BatchView } from "../view/batch-view.ts";
import { type BatchFlags, type BatchSettings, readBatchFlags } from "./batch-options.ts";

/** Lines of mistakes that are shown; the rest is counted. */
const MOST_SHOWN = 20;

/** Sends the rows of a file under limits, and writes their answers to another. */
export async function batch(input: string, flags: BatchFlags): Promise<ExitCode> {
  const settings = readBatchFlags(input, flags, process.env);
  const { file, missingKey } = settings;
  if (missingKey !== undefined) process.stderr.write(`headgate: ${missingKey} is not set, so no key is sent\n`);
  let view: BatchView | undefined;
  const listener: BatchListener = {
    retrying: ({ message }) => view?.problem(message),
    finished: (result) => {
      if (result.kind === "failed") view?.problem(result.message);
    },
  };
  const opened = await open({ ...file, listener });
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
  return run(ready, settings, view);
}

async function open(options: BatchFileOptions): ReturnType<typeof openBatch> {
  try {
    return await openBatch(options);
  } catch (error) {
    if (error instanceof LockedError) throw new CommandError(error.message, EXIT.failed, { cause: error });
    throw error;
  }
}

async function run(ready: BatchFile, settings: BatchSettings, view: BatchView): Promise<ExitCode> {
  const { plan } = ready;
  if (plan.repairedBytes > 0) process.stderr.write("headgate: cut off a line that an earlier run did not finish\n");
  const signals = new Signals(ready, view);
  view.start();
  try {
    const facts = await ready.run();
    view.stop();
    const summary = summarize(plan, facts);
    if (plan.paths.output !== "-") writeFileSync(plan.paths.summary, `${JSON.stringify(summary, undefined, 2)}\n`);
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
  print(terminal, ["", ...summaryLines(summary, palette), ""]);
  if (projection !== undefined) print(terminal, [...projectionLines(projection, palette), ""]);
}

async function showPlan(ready: BatchFile, { file, json }: BatchSettings): Promise<ExitCode> {
  await ready.close();
  const plan = dryRun(ready.plan, file.limits ?? [], file.price);
  const palette = paletteFor(hasColor(process.stdout, process.env));
  print(process.stdout, json ? [JSON.stringify(plan, undefined, 2)] : ["", ...dryRunLines(plan, palette), ""]);
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
    case "bad_lines": {
      const { first, count } = refused;
      const lines = first
        .slice(0, MOST_SHOWN)
        .map(({ line, rule, value }) => `${input}:${line}: ${rule}${value === "" ? "" : `, got ${value}`}`);
      const more = count > lines.length ? [`and ${formatCount(count - lines.length)} more`] : [];
      const total = count === 1 ? "1 line is no row" : `${formatCount(count)} lines are no rows`;
      return new CommandError(
        [`${total}, and nothing was sent:`, ...lines, ...more, "--skip-bad-lines sends the others"].join("\n  "),
        EXIT.usage,
      );
    }
  }
}

/** The first signal lets what is in flight end, the second gives it up. */
class Signals {
  readonly #batch: BatchFile;
  readonly #view: BatchView;
  /** What the process ends with, where a signal came. */
  code: ExitCode | undefined;

  constructor(batch: BatchFile, view: BatchView) {
    this.#batch = batch;
    this.#view = view;
    process.on("SIGINT", this.#hear).on("SIGTERM", this.#hear);
  }

  close(): void {
    process.off("SIGINT", this.#hear).off("SIGTERM", this.#hear);
  }

  readonly #hear = (signal: NodeJS.Signals): void => {
    if (this.code !== undefined) return this.#batch.abort();
    this.code = signal === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
    this.#batch.drain();
    this.#view.draining();
  };
}
