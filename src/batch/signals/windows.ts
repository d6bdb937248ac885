import type { Ms } from "../../core/units.ts";

const USUAL: readonly Ms[] = [1_000, 10_000, 60_000, 3_600_000, 86_400_000];

const NAMED: Readonly<Record<string, Ms>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** The length of a window by the word at the end of a header's name. */
export function namedWindow(word: string | undefined): Ms | undefined {
  return word === undefined ? undefined : NAMED[word];
}

/**
 * The window of a limit that fills evenly: what is missing comes back in `resetMs`. One of the usual lengths, if one is
 * within a factor of 2.
 */
export function windowFromRefill(limit: number, remaining: number, resetMs: Ms): Ms | undefined {
  const missing = limit - remaining;
  if (missing <= 0 || resetMs <= 0) return undefined;
  const windowMs = (limit / missing) * resetMs;
  return USUAL.find((usual) => windowMs >= usual / 2 && windowMs <= usual * 2);
}
