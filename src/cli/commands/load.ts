import { formatProblems, type Problem } from "../../config/index.ts";
import { systemClock } from "../../engine/clock.ts";
import { reportOf } from "../../lab/report/assemble.ts";
import { formatReport } from "../../lab/report/text/report.ts";
import type { Report } from "../../lab/report/types.ts";
import { verdictOf, verdictText } from "../../lab/report/verdict.ts";
import { findScenario, readScenario } from "../../lab/scenario/index.ts";
import type { Scenario } from "../../lab/scenario/types.ts";
import { lasting, type PlannedSide, sidesFor, unseen } from "../../lab/sides.ts";
import { CommandError, EXIT, type ExitCode } from "../exit.ts";
import { formatDuration } from "../format.ts";
import { type LoadFlags, type LoadWishes, readFlags } from "../load/options.ts";
import { ReportFolder } from "../load/report-folder.ts";
import { runSide } from "../load/run-sides.ts";
import { Interruption } from "../load/interruption.ts";
import { hasColor, paletteFor } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { printScenarios } from "./load-list.ts";

/** Runs a scenario and reports what came of it. */
export async function load(nameOrPath: string | undefined, flags: LoadFlags): Promise<ExitCode> {
  if (flags.list === true) return printScenarios(flags.json === true);
  if (nameOrPath === undefined) throw new CommandError("which scenario? see headgate load --list", EXIT.usage);
  const wishes = readFlags(flags);
  const scenario = await open(nameOrPath, wishes);
  const sides = sidesFor(scenario, wishes);
  const interruption = new Interruption();
  try {
    const runs = wishes.seeds.length;
    let isGood = true;
    for (const seed of wishes.seeds) {
      const report = await runOnce({ scenario, sides, wishes, seed, interruption });
      isGood &&= isFine(report);
      if (runs > 1) tellInOneLine(report);
      else tell(report, wishes);
      if (interruption.happened) return EXIT.interrupted;
    }
    return wishes.assert && !isGood ? EXIT.failed : EXIT.ok;
  } finally {
    interruption.close();
  }
}

async function open(nameOrPath: string, { durationMs, targets, metrics }: LoadWishes): Promise<Scenario> {
  const found = await findScenario(nameOrPath);
  if (found.kind === "unknown") {
    throw new CommandError(`${JSON.stringify(nameOrPath)} ${found.rule}: ${found.hint}`, EXIT.usage);
  }
  const result = await readScenario(found.path, process.env);
  const problems = result.kind === "valid" ? result.warnings : result.problems;
  printProblems(problems);
  if (result.kind === "invalid") throw new CommandError(`${found.path} cannot be run`, EXIT.usage);
  const { scenario, leftOut } =
    targets.length > 0 && metrics === undefined ? unseen(result.scenario) : { scenario: result.scenario, leftOut: 0 };
  if (leftOut > 0) {
    const them =
      leftOut === 1
        ? "1 assertion needs to see the model and is"
        : `${leftOut} assertions need to see the model and are`;
    process.stderr.write(`headgate: ${them} left out; --metrics URL shows it\n`);
  }
  if (targets.length > 0 && scenario.phases.some(({ gate }) => gate !== undefined)) {
    process.stderr.write(
      "headgate: this scenario changes the gate's configuration; a --target has to be changed by hand\n",
    );
  }
  return durationMs === undefined ? scenario : lasting(scenario, durationMs);
}

interface OneRun {
  readonly scenario: Scenario;
  readonly sides: readonly PlannedSide[];
  readonly wishes: LoadWishes;
  readonly seed: number;
  readonly interruption: Interruption;
}

async function runOnce({ scenario, sides, wishes, seed, interruption }: OneRun): Promise<Report> {
  const { stderr, env } = process;
  const speed = wishes.virtual ? 1 : (wishes.speed ?? (wishes.targets.length > 0 ? 1 : scenario.speed));
  const folder = folderFor(wishes, seed);
  const started = new Date(systemClock.wall()).toISOString();
  const results = [];
  try {
    for (const planned of sides) {
      if (interruption.happened) break;
      const run = {
        scenario,
        seed,
        speed,
        http: wishes.virtual ? undefined : { metrics: wishes.metrics },
        terminal: stderr,
        palette: paletteFor(hasColor(stderr, env)),
        onVisit: folder?.requestsOf(planned.name, sides.length === 1, scenario) ?? (() => {}),
        signal: interruption.signal,
      };
      results.push(await runSide(planned, run));
    }
    const report = reportOf({
      scenario,
      version: packageVersion(),
      started,
      mode: wishes.virtual ? "virtual" : "http",
      target: wishes.targets.length > 0 ? wishes.targets.join(", ") : `simulated ${scenario.models.join(", ")}`,
      seed,
      speed,
      sides: results.map(({ side }) => side),
      lags: results,
    });
    await folder?.finish(report);
    return report;
  } finally {
    await folder?.close();
  }
}

function folderFor({ reportDir, seeds }: LoadWishes, seed: number): ReportFolder | undefined {
  if (reportDir === undefined) return undefined;
  return new ReportFolder(seeds.length === 1 ? reportDir : `${reportDir}/seed-${seed}`);
}

function tell(report: Report, { json, verbose, reportDir }: LoadWishes): void {
  const { stdout, env } = process;
  if (json) {
    stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return;
  }
  const files = reportDir === undefined ? [] : [`${reportDir}/report.html`, `${reportDir}/report.json`];
  stdout.write(`${formatReport(report, paletteFor(hasColor(stdout, env)), { verbose, files })}\n`);
  if (reportDir === undefined)
    stdout.write("\n--report DIR writes all of this as a page with charts, as JSON, and every request as a line.\n");
}

function tellInOneLine(report: Report): void {
  const { stdout, env } = process;
  const { good, bad } = paletteFor(hasColor(stdout, env));
  const verdict = verdictOf(report);
  const [first] = report.sides;
  const facts =
    first === undefined
      ? ""
      : `${first.total.sent} sent, ${first.total.served} served, ${first.total.refused} refused in ${formatDuration(first.duration_s * 1_000)}`;
  const paint = isFine(report) ? good : bad;
  stdout.write(`seed ${String(report.scenario.seed).padEnd(4)} ${paint(verdictText(verdict))}  ${facts}\n`);
  for (const side of report.sides) {
    for (const check of side.checks.filter(({ ok }) => !ok)) {
      stdout.write(
        `          ${check.phase ?? "all"}: ${check.consumer ?? ""} ${check.metric} ${check.aim}, seen ${check.seen ?? "nothing"}\n`,
      );
    }
  }
}

function isFine(report: Report): boolean {
  const { kind } = verdictOf(report);
  return kind === "passed" || kind === "unchecked";
}

function printProblems(problems: readonly Problem[]): void {
  const { stderr, env } = process;
  if (problems.length > 0) stderr.write(`${formatProblems(problems, { color: hasColor(stderr, env) })}\n\n`);
}
