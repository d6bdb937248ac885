import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";

import { isRecord, parseJson } from "../../core/json.ts";

/** Another run holds the output. */
export class LockedError extends Error {
  override readonly name = "LockedError";
}

/**
 * Takes an output for this process, by a file that only one can create. A lock whose process has ended is taken over.
 * Returns the release. Throws `LockedError` where another run holds it.
 */
export function takeLock(path: string): () => void {
  if (!create(path)) {
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) throw heldBy(path, holder);
    takeOver(path, holder);
  }
  return () => rmSync(path, { force: true });
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system tells; tells it from a later one with the same number. */
  readonly started: string;
}

/** Two that find the same dead lock must not both remove it: the second would remove the first one's new lock. */
function takeOver(path: string, dead: Holder | undefined): void {
  const gate = `${path}.takeover`;
  if (!create(gate))
    throw new LockedError(`another run is taking over ${path}; if none is, remove ${gate} and try again`);
  try {
    const holder = readHolder(path);
    if (holder?.pid !== dead?.pid || holder?.started !== dead?.started) throw heldBy(path, holder);
    rmSync(path, { force: true });
    if (!create(path)) throw heldBy(path, readHolder(path));
  } finally {
    rmSync(gate, { force: true });
  }
}

function heldBy(path: string, holder: Holder | undefined): LockedError {
  const who = holder === undefined ? "another run" : `process ${holder.pid} on ${holder.host}`;
  return new LockedError(`${who} is writing this output; wait for it, or give another with -o (its lock is ${path})`);
}

/** False: it is there already. */
function create(path: string): boolean {
  try {
    const file = openSync(path, "wx");
    writeSync(file, JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) }));
    closeSync(file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const json = parseJson(readFileSync(path, "utf8"));
    if (!isRecord(json)) return undefined;
    const { pid, host, started } = json;
    if (typeof pid !== "number" || typeof host !== "string" || typeof started !== "string") return undefined;
    return { pid, host, started };
  } catch {
    return undefined;
  }
}

function isAlive({ pid, host, started }: Holder): boolean {
  // Of another machine's processes nothing can be known.
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  return startOf(pid) === started;
}

/** Where the system does not tell, the empty string, for all alike. */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
