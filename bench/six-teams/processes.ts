import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, mkdirSync, openSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { ChildMessage } from "../process/answer.ts";
import type { LoadPlan, Visit } from "./plan.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DIST = `${ROOT}bench/dist/six-teams/`;
const LOAD = new URL("load.ts", import.meta.url);

/** How long a start may take. */
const START_MS = 20_000;

/** A process that this run started. */
export interface Running {
  /** Where it listens: the groups of the pattern that its first words fit. */
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Compiles the command line and the load generator with the settings of the package, beside its `dist/`. */
export function build(): void {
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST, { recursive: true });
  const project = `${ROOT}bench/six-teams/tsconfig.build.json`;
  execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, "-p", project], { stdio: "inherit" });
  copyFileSync(`${ROOT}package.json`, `${DIST}package.json`);
}

/** Runs `headgate ARGS` until its words fit the pattern. What it says as log goes to a file. */
export async function startHeadgate(
  args: readonly string[],
  says: RegExp,
  { logPath, env = {} }: { readonly logPath: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Running> {
  const log = openSync(logPath, "w");
  const child = spawn(process.execPath, [`${DIST}src/cli/index.js`, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", log],
  });
  closeSync(log);
  process.once("exit", () => child.kill());
  const urls = await new Promise<readonly string[]>((resolve, reject) => {
    let words = "";
    const giveUp = (): void => {
      child.kill();
      reject(new Error(`headgate ${args[0]} did not say where it listens, but: ${words}`));
    };
    const timer = setTimeout(giveUp, START_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      reject(new Error(`headgate ${args[0]} ended, see ${logPath}`));
    });
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
      words += piece;
      const found = says.exec(words);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found.slice(1));
    });
  });
  return { urls, stop: () => end(child, () => child.kill("SIGTERM")) };
}

/** The load generator. One plan at a time. */
export interface Load {
  run(plan: LoadPlan): Promise<readonly Visit[]>;
  stop(): Promise<void>;
}

export async function startLoad(): Promise<Load> {
  const child = fork(fileURLToPath(new URL("../dist/six-teams/bench/six-teams/load.js", LOAD)), {
    serialization: "advanced",
    execArgv: [],
  });
  await nextMessage(child);
  return {
    run: async (plan) => {
      const message = nextMessage(child);
      child.send(plan);
      const answer = await message;
      if ("reply" in answer) return answer.reply as readonly Visit[];
      throw new Error("error" in answer ? answer.error : "the load generator gave no answer");
    },
    stop: () => end(child, () => child.disconnect()),
  };
}

async function end(child: ChildProcess, ask: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  ask();
  await exited;
}

function nextMessage(child: ChildProcess): Promise<ChildMessage> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error("the load generator ended"));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as ChildMessage);
    });
  });
}
