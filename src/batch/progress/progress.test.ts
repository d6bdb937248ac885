import { describe, expect, it } from "vitest";

import { createRandom } from "../../core/random.ts";
import { Latencies } from "./latencies.ts";
import { Moments } from "./moments.ts";
import { Recent } from "./recent.ts";

describe("Latencies", () => {
  it("is within 5 % of the exact percentiles", () => {
    const random = createRandom(1);
    const values = Array.from({ length: 10_000 }, () => 1 + random() ** 3 * 60_000);
    const latencies = new Latencies();
    for (const value of values) latencies.add(value);
    const sorted = values.toSorted((a, b) => a - b);
    for (const quantile of [0.05, 0.5, 0.95, 0.99]) {
      const exact = sorted[Math.ceil(quantile * sorted.length) - 1] ?? 0;
      expect((latencies.at(quantile) ?? 0) / exact).toBeGreaterThan(0.95);
      expect((latencies.at(quantile) ?? 0) / exact).toBeLessThan(1.05);
    }
  });

  it("knows nothing of no values", () => {
    expect(new Latencies().at(0.5)).toBeUndefined();
  });
});

describe("Moments", () => {
  it("has the true mean within its interval 95 times of 100", () => {
    const random = createRandom(2);
    let hits = 0;
    for (let trial = 0; trial < 2_000; trial++) {
      const moments = new Moments();
      for (let index = 0; index < 10; index++) moments.add(random() + random() + random());
      if (Math.abs(moments.mean - 1.5) <= moments.halfWidth) hits += 1;
    }
    expect(hits / 2_000).toBeGreaterThan(0.935);
    expect(hits / 2_000).toBeLessThan(0.965);
  });

  it("has no interval below two values", () => {
    const moments = new Moments();
    moments.add(5);
    expect(moments.halfWidth).toBe(Infinity);
  });
});

describe("Recent", () => {
  it("is the rate of the last seconds, from the first one on", () => {
    const recent = new Recent(10_000, 500);
    for (let at = 500; at < 2_500; at += 100) recent.add(at);
    expect(recent.rate(2_500)).toBeCloseTo(10, 0);
    for (let at = 2_500; at < 30_000; at += 50) recent.add(at);
    expect(recent.rate(30_000)).toBeGreaterThan(18);
    expect(recent.rate(30_000)).toBeLessThan(22);
    expect(recent.rate(60_000)).toBe(0);
  });
});
