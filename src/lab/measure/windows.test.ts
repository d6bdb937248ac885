import * as fc from "fast-check";
import { expect, test } from "vitest";

import { eachWindow, Seconds } from "./windows.ts";

test("every window of a stretch is looked at with its sums: as a slow sum says", () => {
  const rows = fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(rows, fc.nat(20), fc.nat(40), fc.integer({ min: 1, max: 15 }), (counts, from, length, window) => {
      const series = counts.map((row) => {
        const seconds = new Seconds();
        for (const [second, count] of row.entries()) seconds.add(second, count);
        return seconds;
      });
      const to = from + length;
      const seen: (readonly number[])[] = [];
      eachWindow(series, { from, to, window }, (sums) => seen.push([...sums]));
      const slow = Array.from({ length: Math.max(0, length - window + 1) }, (_, start) =>
        counts.map((row) => row.slice(from + start, from + start + window).reduce((sum, count) => sum + count, 0)),
      );
      expect(seen).toEqual(slow);
    }),
  );
});

test("seconds grow with what is counted", () => {
  const seconds = new Seconds();
  seconds.add(5_000);
  seconds.add(5_000, 3);
  expect([seconds.length, seconds.at(5_000), seconds.at(4_999), seconds.at(9_999_999)]).toEqual([5_001, 4, 0, 0]);
});
