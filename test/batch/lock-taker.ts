/**
 * A process of its own that takes locks, for lock.test.ts: `lock-taker.ts FIRST_MOMENT PATH…`. It takes them one after the
 * other, each at the same moment as its siblings, prints the places of those that it got, and keeps them until its
 * standard input ends.
 */
import { LockedError, takeLock } from "../../src/batch/journal/lock.ts";

const [, , first = "0", ...paths] = process.argv;
/** Long enough for one attempt. */
const EVERY_MS = 2;

const won: number[] = [];
for (const [place, path] of paths.entries()) {
  const moment = Number(first) + place * EVERY_MS;
  while (performance.timeOrigin + performance.now() < moment);
  try {
    takeLock(path);
    won.push(place);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
  }
}
process.stdout.write(`${JSON.stringify(won)}\n`);
process.stdin.resume();
