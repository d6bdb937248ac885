/** Real llama.cpp behind llama-server's HTTP surface, in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { SERVER_DIRECTORY, ensureLlama } from "./install.ts";
import { tailOf } from "./tail.ts";

export type LlamaOptions = {
  /** Requests that run at the same time, each on its own sequence. More wait in order of arrival. Default 4. */
  readonly slots?: number;
  /** Tokens that a slot holds, prompt and answer together. Default 4096. */
  readonly contextSize?: number;
};

/** As the backend itself counts. */
type LlamaStats = {
  readonly slots: number;
  /** Requests that hold a slot now, and the most there ever were. */
  readonly concurrent: number;
  readonly max_concurrent_seen: number;
  /** Requests that wait for a slot now, and the most there ever were. */
  readonly waiting: number;
  readonly max_waiting_seen: number;
  /** Requests accepted, answered in full, and left by their client. */
  readonly started: number;
  readonly completed: number;
  readonly aborted: number;
  /** Tokens of requests that have ended, aborted ones included; a prompt counts when its request gets a slot. */
  readonly prompt_tokens: number;
  readonly generated_tokens: number;
  /** Calls of llama_decode, the sum of their sequences, and the most sequences computed in one call. */
  readonly decodes: number;
  readonly decoded_sequences: number;
  readonly max_sequences_per_decode: number;
};

export type LlamaBackend = {
  /** `http://127.0.0.1:…`, without a path. */
  readonly url: string;
  stats(): Promise<LlamaStats>;
  /** Resolves once the counters have these values. */
  when(wanted: Partial<LlamaStats>): Promise<LlamaStats>;
  /** Resolves once no request runs or waits. */
  idle(): Promise<LlamaStats>;
  /** Kills the backend and waits until it is gone. Later calls do nothing. */
  stop(): Promise<void>;
};

/** Why the backend cannot run on this machine. */
export class LlamaUnavailable extends Error {
  override readonly name = "LlamaUnavailable";
}

/** The first call on a machine installs the backend. Rejects with `LlamaUnavailable` where that is impossible. */
export async function startLlama({ slots = 4, contextSize = 4096 }: LlamaOptions = {}): Promise<LlamaBackend> {
  const installation = await ensureLlama();
  if (installation.kind === "skipped") throw new LlamaUnavailable(installation.why);

  const options = ["--slots", String(slots), "--context-size", String(contextSize)];
  const child = spawn(process.execPath, [join(SERVER_DIRECTORY, "index.mjs"), ...options], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const errors = tailOf(child.stderr);
  const exit = once(child, "close").then(
    ([code, signal]) => `the llama backend ended (${code ?? signal})\n${errors()}`,
  );
  const port = await Promise.race([readPort(child.stdout), exit.then((how) => Promise.reject(new Error(how)))]);

  const url = `http://127.0.0.1:${port}`;
  let stopping = false;
  void exit.then((how) => stopping || process.stderr.write(`${how}\n`));
  return {
    url,
    stats: () => getStats(url),
    when: (wanted) => getStats(url, wanted),
    idle: () => getStats(url, { concurrent: 0, waiting: 0 }),
    async stop() {
      stopping = true;
      child.kill("SIGKILL");
      await exit;
    },
  };
}

/**
 * One backend for the tests of a file or of a `describe`. Where the backend cannot run, those tests are skipped and say
 * why.
 *
 * @returns The backend, for use inside tests.
 */
export function useLlama(options?: LlamaOptions): () => LlamaBackend {
  let backend: LlamaBackend | LlamaUnavailable | undefined;
  beforeAll(async () => {
    backend = await startLlama(options).catch((error: unknown) => {
      if (error instanceof LlamaUnavailable) return error;
      throw error;
    });
  }, 300_000);
  beforeEach((context) => {
    if (backend instanceof LlamaUnavailable) context.skip(backend.message);
  });
  afterAll(async () => {
    if (!(backend instanceof LlamaUnavailable)) await backend?.stop();
  });
  return () => {
    if (backend === undefined || backend instanceof LlamaUnavailable)
      throw new Error("the llama backend is not running");
    return backend;
  };
}

/** The first line that the backend prints. Never resolves when there is none. */
async function readPort(stdout: NodeJS.ReadableStream): Promise<number> {
  const [line] = (await once(createInterface(stdout), "line")) as [string];
  return (JSON.parse(line) as { port: number }).port;
}

async function getStats(url: string, wanted: Partial<LlamaStats> = {}): Promise<LlamaStats> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) query.set(name, String(value));
  const response = await fetch(`${url}/stats?${query.toString()}`);
  return (await response.json()) as LlamaStats;
}
