import { type ChildProcess, spawn } from "node:child_process";
import { afterEach } from "vitest";

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs, as a user would run it. */
export interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts `headgate batch`. */
export function start(
  args: readonly string[],
  { stdin, env = {} }: { readonly stdin?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Command {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/index.ts", "batch", ...args], {
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, OPENAI_API_KEY: undefined, ...env },
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => {});
  child.stdin.end(stdin ?? "");
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  return { child, ended };
}

export function headgateBatch(...args: readonly string[]): Promise<Ended> {
  return start(args).ended;
}
