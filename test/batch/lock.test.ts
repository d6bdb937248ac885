import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";

import { LockedError, takeLock } from "../../src/batch/journal/lock.ts";
import { folder } from "./kit.ts";

const LOCKS = 400;
const TAKERS = 3;
/** Until all have started. */
const START_MS = 4_000;

const DEAD = JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), started: "1" });

const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

/** Which of the locks a process got. */
function take(paths: readonly string[], firstMoment: number): Promise<readonly number[]> {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "test/batch/lock-taker.ts", String(firstMoment), ...paths],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  running.push(child);
  let text = "";
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith("\n")) resolve(JSON.parse(text) as number[]);
    });
    child.on("exit", () => reject(new Error("a taker ended early")));
  });
}

async function winners(paths: readonly string[]): Promise<readonly number[]> {
  const firstMoment = performance.timeOrigin + performance.now() + START_MS;
  const won = await Promise.all(Array.from({ length: TAKERS }, () => take(paths, firstMoment)));
  return won.flat().sort((a, b) => a - b);
}

describe("the lock of an output", () => {
  it("is taken by one of many that come at the same moment, whether it is new or a dead one's", async () => {
    const { path } = folder();
    const paths = Array.from({ length: LOCKS }, (_, index) => path(`${index}.lock`));
    for (const [index, lock] of paths.entries()) if (index % 2 === 0) writeFileSync(lock, DEAD);
    const won = await winners(paths);
    expect(won).toEqual([...new Set(won)]);
    // Of those that find a dead one at the same moment each may leave it to the other, and be refused; never of a new one.
    expect(won.filter((place) => place % 2 === 1)).toHaveLength(LOCKS / 2);
    expect(readdirSync(path(".")).filter((name) => !/^\d+\.lock$/.test(name))).toEqual([]);
  }, 60_000);

  it("is not taken while it is empty: its owner may be about to write it", () => {
    const lock = folder().path("a.lock");
    writeFileSync(lock, "");
    expect(() => takeLock(lock)).toThrow(/cannot be read; if no other run writes this output, remove it/);
  });

  it("is never taken over from another host, and says what to do", () => {
    const lock = folder().path("a.lock");
    writeFileSync(lock, JSON.stringify({ pid: 1, host: "elsewhere", started: "1" }));
    expect(() => takeLock(lock)).toThrow(LockedError);
    expect(() => takeLock(lock)).toThrow(`if it has ended, remove ${lock}`);
  });

  it("is not removed by its first owner once another one has it", () => {
    const lock = folder().path("a.lock");
    const release = takeLock(lock);
    writeFileSync(lock, DEAD);
    release();
    expect(existsSync(lock)).toBe(true);
    takeLock(lock)();
    expect(existsSync(lock)).toBe(false);
  });

  it.skipIf(!existsSync("/proc/self/stat"))(
    "is free once its process was killed, even if nobody asked about it yet",
    async () => {
      // A process that becomes another one never asks about its children.
      const parent = spawn("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      running.push(parent);
      const pid = await new Promise<number>((resolve) => {
        parent.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
      });
      const fields = (): readonly string[] =>
        readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
      const path = folder().path("zombie.lock");
      const started = fields()[19];
      writeFileSync(path, JSON.stringify({ pid, host: hostname(), started }));
      expect(() => takeLock(path)).toThrow(LockedError);
      process.kill(pid, "SIGKILL");
      await vi.waitUntil(() => fields()[0] === "Z");
      takeLock(path)();
      expect(existsSync(path)).toBe(false);
    },
  );
});
