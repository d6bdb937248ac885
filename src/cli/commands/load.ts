import { formatProblems, type Problem } from "../../config/index.ts";
import { systemClock } from "../../engine/clock.ts";
import { reportOf } from "../../lab/report/assemble.ts";
import type { Report } from "../../lab/report/types.ts";
import { findScenario, readScenario } from "../../lab/scenario/index.ts";
import type { Scenario } from "../../lab/scenario/types.ts";
import { judgeable, lasting, type PlannedSide, sidesFor, type Sight } from "../../lab/sides.ts";
import { CommandError, EXIT, type ExitCode } from "../exit.ts";
import { type LoadFlags, type LoadWishes, readFlags } from "../load/options.ts";
import { ReportFolder } from "../load/report-folder.ts";
import { runSide, type SideResult } from "../load/run-sides.ts";
import { isFine, tellAll, tellInOneLine, tellReport } from "../load/tell.ts";
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
    const reports: Report[] = [];
    for (const seed of wishes.seeds) {
      const { report, death } = await runOnce({ scenario, sides, wishes, seed, interruption });
      reports.push(report);
      if (wishes.seeds.length === 1) tellReport(report, wishes);
      else if (!wishes.json) tellInOneLine(report);
      if (death !== undefined) throw new CommandError(death);
      if (interruption.happened) return EXIT.interrupted;
    }
    if (wishes.seeds.length > 1) tellAll(reports, wishes);
    return wishes.assert && !reports.every(isFine) ? EXIT.failed : EXIT.ok;
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
  const whole = durationMs === undefined ? result.scenario : lasting(result.scenario, durationMs);
  const { scenario, leftOut } = judgeable(whole, {
    sight: sightOf(targets, metrics),
    scaled: durationMs !== undefined,
  });
  for (const what of leftOut) process.stderr.write(`not judged: ${what}\n`);
  if (targets.length > 0 && scenario.phases.some(({ gate }) => gate !== undefined)) {
    process.stderr.write(
      "this scenario changes the gate's configuration: that of a --target you have to change by hand\n",
    );
  }
  return scenario;
}

function sightOf(targets: readonly string[], metrics: string | undefined): Sight {
  if (targets.length === 0) return "own count";
  return metrics === undefined ? "nothing" : "metrics";
}

interface OneRun {
  readonly scenario: Scenario;
  readonly sides: readonly PlannedSide[];
  readonly wishes: LoadWishes;
  readonly seed: number;
  readonly interruption: Interruption;
}

interface Ran {
  readonly report: Report;
  /** What died of what it ran against, in words. */
  readonly death: string | undefined;
}

async function runOnce({ scenario, sides, wishes, seed, interruption }: OneRun): Promise<Ran> {
  const { stderr, env } = process;
  const speed = wishes.virtual ? 1 : (wishes.speed ?? (wishes.targets.length > 0 ? 1 : scenario.speed));
  const folder = folderFor(wishes, seed);
  const started = new Date(systemClock.wall()).toISOString();
  const results: SideResult[] = [];
  try {
    for (const planned of sides) {
      if (interruption.happened || results.some(({ death }) => death !== undefined)) break;
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
    await folder?.finish(report, (error) => {
      // What was measured is worth more than the file that it did not get into.
      if (wishes.seeds.length === 1) tellReport(report, { ...wishes, reportDir: undefined });
      throw error;
    });
    return { report, death: results.find(({ death }) => death !== undefined)?.death };
  } finally {
    await folder?.close();
  }
}

function folderFor({ reportDir, seeds }: LoadWishes, seed: number): ReportFolder | undefined {
  if (reportDir === undefined) return undefined;
  return new ReportFolder(seeds.length === 1 ? reportDir : `${reportDir}/seed-${seed}`);
}

function printProblems(problems: readonly Problem[]): void {
  const { stderr, env } = process;
  if (problems.length > 0) stderr.write(`${formatProblems(problems, { color: hasColor(stderr, env) })}\n\n`);
}
