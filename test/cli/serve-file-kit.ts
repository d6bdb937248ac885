/** `headgate serve --config` as a process of its own, and the file that it runs on. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { type RunningModel, runModel } from "../../src/lab/model/run.ts";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A configuration file that goes away with the test. */
export interface ConfigFile {
  readonly path: string;
  /** Writes over it, in place. */
  save(text: string): void;
  /** Writes another file and renames that over it, as editors do. */
  replace(text: string): void;
}

interface Process {
  readonly ended: Promise<Ended>;
  /** Resolves once it has said this, so many times, on standard output or in its log. */
  said(text: string, times?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export interface Gate extends Process {
  /** Where clients reach it. */
  readonly url: string;
  /** Where operators reach it. */
  readonly admin: string;
}

export interface Answer {
  readonly status: number;
  readonly outcome: string | undefined;
  readonly text: string;
}

export function configFile(text: string): ConfigFile {
  const folder = mkdtempSync(join(tmpdir(), "headgate-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "headgate.yaml");
  const file: ConfigFile = {
    path,
    save: (next) => writeFileSync(path, next),
    replace: (next) => {
      writeFileSync(`${path}.new`, next);
      renameSync(`${path}.new`, path);
    },
  };
  file.save(text);
  return file;
}

/** Starts a gate on a file that has an `admin`. Resolves once it serves. */
export async function serve(file: ConfigFile): Promise<Gate> {
  const gate = startGate(file);
  await gate.said("/api/v1/status");
  const { stdout } = gate.output();
  const url = /http:\/\/[\d.]+:\d+(?=\/proxy\/stats)/.exec(stdout)?.[0];
  const admin = /http:\/\/[\d.]+:\d+(?=\/api\/v1\/status)/.exec(stdout)?.[0];
  if (url === undefined || admin === undefined) throw new Error(`no addresses in ${stdout}`);
  return { ...gate, url, admin };
}

/** Starts a gate on a file, whatever becomes of it. Nothing is left of it when the test is over. */
export function startGate({ path }: ConfigFile): Process & { output(): Omit<Ended, "code"> } {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/index.ts", "serve", "--config", path], { env });
  let stdout = "";
  let stderr = "";
  const looks = new Set<() => void>();
  const hear = (): void => {
    for (const look of looks) look();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    hear();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    hear();
  });
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = (text: string, times = 1): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (`${stdout}\n${stderr}`.split(text).length <= times) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      void ended.then(() => reject(new Error(`ended without saying ${text}: ${stdout}${stderr}`)));
      look();
    });
  return { ended, said, signal: (signal) => void child.kill(signal), output: () => ({ stdout, stderr }) };
}

/** A simulated model that answers at once. */
export async function startModel(): Promise<RunningModel> {
  const model = await runModel({ preset: "instant", port: 0 });
  onTestFinished(() => model.close());
  return model;
}

/** A client with one connection that it keeps. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor() {
    onTestFinished(() => this.#agent.destroy());
  }

  /** Rejects where the connection breaks before the answer is complete. */
  send(method: "GET" | "POST", url: string, options: { key?: string; body?: object } = {}): Promise<Answer> {
    const { key, body } = options;
    const headers = {
      "content-type": "application/json",
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, headers, agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        const outcome = response.headers["x-headgate-outcome"]?.toString();
        response.on("end", () => resolve({ status: response.statusCode ?? 0, outcome, text }));
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async json(url: string, key?: string): Promise<unknown> {
    return JSON.parse((await this.send("GET", url, key === undefined ? {} : { key })).text);
  }

  /** The smallest chat there is. */
  chat(gate: Pick<Gate, "url">, name: string, model = "m"): Promise<Answer> {
    const body = { model, messages: [{ role: "user", content: "hello" }] };
    return this.send("POST", `${gate.url}/v1/chat/completions`, { key: keyOf(name), body });
  }
}

/** The key of a consumer, and the line for it. */
export function keyOf(name: string): string {
  return `the key of ${name}`.replaceAll(" ", "-");
}

export function keysLine(name: string): string {
  return `keys: ["sha256:${createHash("sha256").update(keyOf(name)).digest("hex")}"]`;
}

/** A port that something else listens on until the test is over. */
export async function takenPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
