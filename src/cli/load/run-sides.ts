import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../../engine/clock.ts";
import { type LiveSide, runLiveSide } from "../../lab/live/run-live.ts";
import { type LiveSite, openSimulatedSite, targetSite } from "../../lab/live/site.ts";
import type { Visit } from "../../lab/load/types.ts";
import { NO_LAGS } from "../../lab/report/assemble.ts";
import type { Scenario } from "../../lab/scenario/types.ts";
import type { PlannedSide } from "../../lab/sides.ts";
import { runVirtualSide } from "../../lab/virtual/run-virtual.ts";
import type { Palette, Terminal } from "../terminal.ts";
import { loadFrame, loadLine } from "../view/load-frame.ts";
import { Repaint } from "../view/repaint.ts";

/** What all sides of one run share. */
export interface SideRun {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly speed: number;
  /** `undefined`: not in HTTP, but on virtual time. */
  readonly http: { readonly metrics: string | undefined } | undefined;
  /** Where the progress is shown. */
  readonly terminal: Terminal;
  readonly palette: Palette;
  readonly onVisit: (visit: Visit) => void;
  /** Ends the run before its time. */
  readonly signal: AbortSignal;
}

/** One side, and what died of what it ran against, in words, with where its log is. */
export interface SideResult extends LiveSide {
  readonly death: string | undefined;
}

/** Runs one side. */
export async function runSide(planned: PlannedSide, run: SideRun): Promise<SideResult> {
  const { scenario, seed, onVisit } = run;
  if (run.http !== undefined) return runOverHttp(planned, run, run.http.metrics);
  if (planned.kind === "target") throw new Error("a target has no virtual time");
  const side = await runVirtualSide({ ...planned, scenario, seed, onVisit, signal: run.signal });
  return { side, ...NO_LAGS, death: undefined };
}

async function runOverHttp(planned: PlannedSide, run: SideRun, metrics: string | undefined): Promise<SideResult> {
  const { scenario, seed, speed, terminal, palette, onVisit } = run;
  const gated = planned.kind === "target" ? scenario.gate !== undefined : planned.gated;
  const folder = mkdtempSync(join(tmpdir(), "headgate-load-"));
  const ended = new AbortController();
  const end = (): void => ended.abort(run.signal.reason);
  run.signal.addEventListener("abort", end, { once: true });
  let site: LiveSite | undefined;
  let repaint: Repaint | undefined;
  let died: string | undefined;
  const onDeath = (why: string): void => {
    died = why;
    ended.abort(why);
  };
  try {
    site = await open(planned, run, { metrics, folder, onDeath });
    const result = await runLiveSide({
      name: planned.name,
      scenario,
      site,
      gated,
      seed,
      speed,
      clock: systemClock,
      firstNumber: Math.floor(systemClock.wall()),
      onVisit,
      onStart: (progress) => {
        const facts = { name: planned.name, scenario, gated, progress };
        const picture = {
          lines: (columns: number) => loadFrame(facts, columns, palette),
          plain: () => loadLine(facts),
        };
        repaint = new Repaint(picture, terminal, systemClock);
        repaint.start();
      },
      signal: ended.signal,
    });
    return { ...result, death: died === undefined ? undefined : `${died}; its log is in ${folder}` };
  } catch (error) {
    if (died === undefined) throw error;
    throw new Error(`${died}; its log is in ${folder}`, { cause: error });
  } finally {
    run.signal.removeEventListener("abort", end);
    repaint?.stop();
    repaint?.clear();
    await site?.stop();
    if (died === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

interface Places {
  readonly metrics: string | undefined;
  readonly folder: string;
  readonly onDeath: (why: string) => void;
}

async function open(planned: PlannedSide, run: SideRun, { metrics, folder, onDeath }: Places): Promise<LiveSite> {
  const { speed, seed, scenario } = run;
  if (planned.kind === "target") return targetSite(planned.url, { metrics, speed });
  const gate = planned.gated ? scenario.gate : undefined;
  const { preset } = planned;
  return openSimulatedSite({ launch, preset, seed, speed, gate, folder, clock: systemClock, onDeath });
}

/** This program again, with other arguments. It must not hear the terminal's Ctrl-C: whoever started it ends it. */
function launch(args: readonly string[]): ReturnType<typeof spawn> {
  const [, script = ""] = process.argv;
  return spawn(process.execPath, [...process.execArgv, script, ...args, "--with-parent"], {
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    // Its standard input ends with this process, whatever ends that, and it with its standard input.
    stdio: ["pipe", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
}
