import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { usageOf } from "../process/procfs.ts";
import type { Proxy, ProxyName } from "./proxy.ts";

export interface Native {
  readonly name: ProxyName;
  readonly args: (configFile: string) => readonly string[];
  /** The configuration, for a port of its own and a folder for whatever it keeps. */
  readonly config: (port: number, folder: string) => string;
}

/** Whether a program can be run here. */
export function isInstalled(name: ProxyName): boolean {
  return process.platform === "linux" && spawnSync(name, ["-v"], { env: PATH }).error === undefined;
}

/** Runs a program that is installed on this machine, with a configuration written for it. */
export async function startNative({ name, args, config }: Native): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), `headgate-bench-${name}-`));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, config(port, folder));
  const child = spawn(name, args(file), { stdio: ["ignore", "ignore", "inherit"], env: PATH });
  await untilListening(port, () => child.exitCode === null);
  const pid = child.pid ?? 0;
  return {
    name,
    port,
    refusal: 429,
    refusesAfter: 0,
    usage: () => Promise.resolve(usageOf(pid)),
    stop: async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** They are often installed where only root looks. */
const PATH = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function untilListening(port: number, isAlive: () => boolean): Promise<void> {
  while (isAlive()) {
    const socket = connect(port, "127.0.0.1");
    const listens = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (listens) return;
    await sleep(20);
  }
  throw new Error("it ended at once; what it said stands above");
}
