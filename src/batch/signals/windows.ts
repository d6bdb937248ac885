import type { Ms } from "../../core/units.ts";

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
