import { readFileSync, statSync, truncateSync } from "node:fs";
import { expect, it } from "vitest";

import { createRandom } from "../../src/core/random.ts";
import { start } from "./child.ts";
import { folder, ids, rows, startServer, until, writeRows } from "./kit.ts";

const KILLS = 25;
const ROWS = 1_500;
const CONCURRENCY = 8;

/** Ids of the whole lines of a file: what a run that was killed has brought home. */
function finished(path: string): readonly string[] {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  const lines = text.split("\n");
  // What stands behind the last line end was not written to its end.
  return lines.slice(0, -1).map((line) => String((JSON.parse(line) as Record<string, unknown>)["custom_id"]));
}

it("a run that is killed at 50 random moments loses no answer that was written, and asks nothing twice that has one", async () => {
  // Two at once: most of the time goes into starting processes.
  await Promise.all([killAndResume(1), killAndResume(2)]);
}, 300_000);

async function killAndResume(seed: number): Promise<void> {
  const random = createRandom(seed);
  const done = new Set<string>();
  const twice: string[] = [];
  /** Answered since the last start. */
  const given = new Set<string>();
  let arrived = (): void => {};
  const server = await startServer(async ({ name }) => {
    arrived();
    if (done.has(name)) twice.push(name);
    for (let turn = random() * 20; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    given.add(name);
    return name.endsWith("7") ? { status: 422, body: { error: { message: "no" } } } : {};
  });
  const { path } = folder();
  const input = writeRows(path("in.jsonl"), rows(ROWS));
  const [out, errors] = [path("in.out.jsonl"), path("in.out.errors.jsonl")];
  const args = [input, "--url", server.url, "--concurrency", String(CONCURRENCY), "--progress", "none"];
  let torn = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    given.clear();
    const { child, ended } = start(args);
    const moment = server.calls.length + 1 + Math.floor(random() * 50);
    const reached = new Promise<void>((resolve) => {
      arrived = () => {
        if (server.calls.length >= moment) resolve();
      };
    });
    await Promise.race([reached, ended]);
    for (let turn = random() * 30; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    child.kill("SIGKILL");
    await ended;
    await until(() => server.open === 0);
    for (const id of [...finished(out), ...finished(errors)]) done.add(id);
    // In flight, or on their way to the disk, which a busy machine lets wait.
    expect([...given].filter((name) => !done.has(name)).length).toBeLessThanOrEqual(4 * CONCURRENCY);
    // As if the system had been stopped in the middle of a write.
    const file = random() < 0.7 ? out : errors;
    const last = finished(file).at(-1);
    if (random() < 0.4 && last !== undefined && tear(file, random)) {
      torn += 1;
      done.delete(last);
    }
  }
  expect(torn).toBeGreaterThan(2);
  const { code } = await start(args).ended;
  expect(code).toBe(2);
  expect(twice).toEqual([]);
  const all = [...ids(out), ...ids(errors)];
  expect(all).toHaveLength(ROWS);
  expect(new Set(all).size).toBe(ROWS);
  expect(ids(errors).every((id) => id.endsWith("7"))).toBe(true);
}

/** Cuts a file within its last line. False where that is torn already. */
function tear(path: string, random: () => number): boolean {
  const text = readFileSync(path, "utf8");
  if (!text.endsWith("\n")) return false;
  const lastLine = text.length - text.trimEnd().lastIndexOf("\n") - 1;
  truncateSync(path, statSync(path).size - 1 - Math.floor(random() * (lastLine - 1)));
  return true;
}
