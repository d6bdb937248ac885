import { readFileSync } from "node:fs";

/** Files that a process has open beside its connections. */
const BESIDE = 40;

/**
 * Says why so many connections at once will not do, going by `/proc/self/limits`; `undefined` where they will, or where
 * the system does not tell.
 */
export function tooFewFiles(connections: number, limits: string): string | undefined {
  const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (connections + BESIDE <= most) return undefined;
  const hint = most > BESIDE ? `, or give --concurrency ${most - BESIDE} or less` : "";
  return `--concurrency ${connections} needs ${connections + BESIDE} open files, and this process may have ${most}; raise that with ulimit -n ${connections + BESIDE}${hint}`;
}

/** The limits of this process as Linux tells them; empty elsewhere. */
export function ownLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}
