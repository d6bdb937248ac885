import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";

import { isRecord, parseJson } from "../../core/json.ts";

/** Another run holds the output. */
export class LockedError extends Error {
  override readonly name = "LockedError";
}

/**
 * Takes an output for this process, by a file that only one can create. A lock whose process has ended is taken over; one
 * of another host never is, since of that host's processes nothing can be known. Returns the release. Throws `LockedError`
 * where another run holds it.
 */
export function takeLock(path: string): () => void {
  const own = ownText();
  if (!create(path, own)) takeOver(path, own);
  return () => {
    // Whoever removed it by hand has let another one in.
    if (readText(path) === own) rmSync(path, { force: true });
  };
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system tells; tells it from a later one with the same number. */
  readonly started: string;
}

/** Two that find the same dead lock must not both remove it: the second would remove the first one's new lock. */
function takeOver(path: string, own: string): void {
  refuseIfHeld(path);
  const gate = `${path}.takeover`;
  if (!create(gate, own))
    throw new LockedError(`another run is taking over ${path}; if none is, remove ${gate} and try again`);
  try {
    refuseIfHeld(path);
    rmSync(path, { force: true });
    if (!create(path, own)) throw heldBy(path, readHolder(path));
  } finally {
    rmSync(gate, { force: true });
  }
}

function refuseIfHeld(path: string): void {
  const text = readText(path);
  if (text === undefined) return;
  const holder = readHolder(path);
  if (holder === undefined || isAlive(holder)) throw heldBy(path, holder);
}

function heldBy(path: string, holder: Holder | undefined): LockedError {
  if (holder === undefined)
    return new LockedError(`the lock ${path} cannot be read; if no other run writes this output, remove it`);
  const { pid, host } = holder;
  if (host === hostname())
    return new LockedError(
      `process ${pid} is writing this output; wait for it, or give another with -o (its lock is ${path})`,
    );
  return new LockedError(
    `process ${pid} on ${host} is writing this output, or was when ${host} ended: from here that cannot be seen; if it has ended, remove ${path}, else give another output with -o`,
  );
}

/** Creates a file with its text, or finds it there (false). Nobody ever sees it without its text. */
function create(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text);
    linkSync(draft, path);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return false;
    if (typeof code === "string" && NO_LINKS.has(code)) return createUnlinked(path, text);
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** What file systems say that have no links. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Others may see the file without its text for a moment; they do not take that for a dead one. */
function createUnlinked(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    rmSync(path, { force: true });
    throw error;
  }
}

function ownText(): string {
  return JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) });
}

/** `undefined`: there is no such file. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  const json = parseJson(readText(path) ?? "");
  if (!isRecord(json)) return undefined;
  const { pid, host, started } = json;
  if (typeof pid !== "number" || typeof host !== "string" || typeof started !== "string") return undefined;
  return { pid, host, started };
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

/**
 * Where the system does not tell, the empty string, for all alike. A process that was killed and that its parent has not
 * asked about is still listed, and has ended: `undefined`.
 */
function startOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
    return ENDED.has(fields[0] ?? "") ? undefined : (fields[19] ?? "");
  } catch {
    return "";
  }
}

/** States of a process, as proc(5) names them: zombie and dead. */
const ENDED = new Set(["Z", "X"]);
