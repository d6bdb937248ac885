import { createRandom, type Random } from "../../src/core/random.ts";
import type { Ms } from "../../src/core/units.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import type { Limiter } from "./shares-limiters.ts";

const MINUTE: Ms = 60_000;

/** How many requests per minute a source sends until then. */
interface Stretch {
  readonly untilMs: Ms;
  readonly perMinute: number;
}

/** Somebody who sends requests by chance, whatever becomes of them (open loop, Poisson). */
export interface Source {
  readonly share: string;
  readonly member: string;
  readonly stretches: readonly Stretch[];
  /** Requests that come together, at regular times; left out, they come one by one at random times. */
  readonly burst?: number;
}

/** When one source asked, and when it got in. */
export interface Record {
  readonly source: Source;
  readonly asked: Ms[];
  readonly admitted: Ms[];
}

export interface Run {
  readonly sources: readonly Source[];
  readonly seed: number;
}

/** Lets all sources ask until the end, on virtual time. */
export function simulate({ sources, seed }: Run, limiter: Limiter): readonly Record[] {
  const clock = new VirtualClock();
  const random = createRandom(seed);
  const records = sources.map((source): Record => ({ source, asked: [], admitted: [] }));
  for (const record of records) begin(record, { clock, random, limiter });
  clock.runAll(10_000_000);
  return records;
}

interface World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly limiter: Limiter;
}

function begin(record: Record, { clock, random, limiter }: World): void {
  const { share, member, stretches, burst } = record.source;
  const ask = (): void => {
    for (let index = 0; index < (burst ?? 1); index++) {
      record.asked.push(clock.now());
      if (limiter.offer(share, member, clock.now())) record.admitted.push(clock.now());
    }
  };
  const schedule = (from: Ms): void => {
    const stretch = stretches.find(({ untilMs }) => from < untilMs);
    if (stretch === undefined) return;
    const { untilMs, perMinute } = stretch;
    const meanMs = ((burst ?? 1) * MINUTE) / perMinute;
    const next = from + (burst === undefined ? -Math.log(1 - random()) * meanMs : meanMs);
    // Chance has no memory: whoever has not come in this stretch is drawn anew in the next.
    if (!(next < untilMs)) return schedule(untilMs);
    clock.after(next - clock.now(), () => {
      ask();
      schedule(next);
    });
  };
  schedule(0);
}

/** How many of the times lie in [from, to). They ascend. */
export function countIn(times: readonly Ms[], from: Ms, to: Ms): number {
  return lowerBound(times, to) - lowerBound(times, from);
}

/** How many there are in the fullest window of that length. */
export function fullestWindow(times: readonly Ms[], lengthMs: Ms): number {
  let first = 0;
  let most = 0;
  for (const [index, time] of times.entries()) {
    while ((times[first] ?? time) <= time - lengthMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

export function merged(records: readonly Record[]): Ms[] {
  return records.flatMap(({ admitted }) => admitted).sort((a, b) => a - b);
}

function lowerBound(times: readonly Ms[], value: Ms): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
