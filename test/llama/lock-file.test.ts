import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withLockFile } from "./lock-file.ts";

let directory: string;
let lock: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "headgate-lock-"));
  lock = join(directory, "lock");
});

afterEach(() => rm(directory, { recursive: true }));

it("work under one lock never overlaps", async () => {
  let running = 0;
  const overlaps = await Promise.all(
    Array.from({ length: 4 }, () =>
      withLockFile(lock, async () => {
        const others = running++;
        await new Promise(setImmediate);
        running--;
        return others;
      }),
    ),
  );
  expect(overlaps).toEqual([0, 0, 0, 0]);
});

it("work that fails gives the lock back", async () => {
  const failure = withLockFile(lock, () => Promise.reject(new Error("no")));
  await expect(failure).rejects.toThrow("no");
  await expect(withLockFile(lock, async () => "done")).resolves.toBe("done");
});

it("a lock whose process died is taken over", async () => {
  const child = spawn(process.execPath, ["--eval", ""], { stdio: "ignore" });
  await once(child, "close");
  await writeFile(lock, String(child.pid));
  await expect(withLockFile(lock, async () => "done")).resolves.toBe("done");
});
