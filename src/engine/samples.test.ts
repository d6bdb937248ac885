import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecentSamples } from "./samples.ts";

test("are all zero while there are none", () => {
  expect(new RecentSamples().percentiles()).toEqual({ p50: 0, p95: 0, p99: 0, samples: 0 });
});

test("one duration is every percentile", () => {
  const samples = new RecentSamples();
  samples.add(7);
  expect(samples.percentiles()).toEqual({ p50: 7, p95: 7, p99: 7, samples: 1 });
});

test("the middle and the tails of 1 to 100 are 51, 96 and 100, in whichever order they come", () => {
  const samples = new RecentSamples();
  for (let value = 100; value >= 1; value--) samples.add(value);
  expect(samples.percentiles()).toEqual({ p50: 51, p95: 96, p99: 100, samples: 100 });
});

test("reading them changes nothing", () => {
  const samples = new RecentSamples(4);
  for (const value of [9, 1, 5]) samples.add(value);
  const first = samples.percentiles();
  expect(samples.percentiles()).toEqual(first);
  samples.add(2);
  samples.add(3);
  expect(samples.percentiles()).toEqual({ p50: 3, p95: 5, p99: 5, samples: 4 });
});

test("only the last ones count, as many as fit", () => {
  const durations = fc.array(fc.nat(10_000), { maxLength: 200 });
  fc.assert(
    fc.property(durations, fc.integer({ min: 1, max: 50 }), (durations, capacity) => {
      const samples = new RecentSamples(capacity);
      for (const duration of durations) samples.add(duration);
      const kept = durations.slice(-capacity).toSorted((a, b) => a - b);
      const at = (fraction: number): number => kept[Math.floor(fraction * kept.length)] ?? 0;
      expect(samples.percentiles()).toEqual({ p50: at(0.5), p95: at(0.95), p99: at(0.99), samples: kept.length });
    }),
    { seed: 21 },
  );
});
