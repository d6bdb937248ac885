import { describe, expect, test } from "vitest";

import { Exposition } from "./exposition.ts";
import { GpuLoad } from "./gpu.ts";
import { Histogram } from "./histogram.ts";

describe("a histogram", () => {
  test("counts a value in the first bucket whose bound is not below it, and shows buckets cumulatively", () => {
    const histogram = new Histogram([1, 2, 5]);
    for (const value of [0, 1, 1.5, 2, 5, 6]) histogram.observe(value);
    expect(histogram.cumulative()).toEqual([2, 4, 5]);
    expect({ count: histogram.count, sum: histogram.sum }).toEqual({ count: 6, sum: 15.5 });
    histogram.clear();
    expect(histogram.cumulative()).toEqual([0, 0, 0]);
  });
});

describe("an exposition", () => {
  test("writes help, type, samples with escaped labels, and cumulative buckets that end in +Inf", () => {
    const page = new Exposition();
    page.gauge({ name: "level", help: "How high." }, [{ labels: { place: 'a "b"\\\n' }, value: 1.5 }]);
    const histogram = new Histogram([1]);
    histogram.observe(3);
    page.histogram({ name: "wait_seconds", help: "How long." }, { place: "x" }, histogram);
    expect(page.toString().split("\n")).toEqual([
      "# HELP level How high.",
      "# TYPE level gauge",
      String.raw`level{place="a \"b\"\\\n"} 1.5`,
      "# HELP wait_seconds How long.",
      "# TYPE wait_seconds histogram",
      'wait_seconds_bucket{place="x",le="1"} 0',
      'wait_seconds_bucket{place="x",le="+Inf"} 1',
      'wait_seconds_sum{place="x"} 3',
      'wait_seconds_count{place="x"} 1',
      "",
    ]);
  });
});

describe("the GPU's load", () => {
  test("rises to 95 % under steps without a pause and falls to 0 without any", () => {
    const load = new GpuLoad();
    for (let at = 0; at < 20_000; at += 20) load.stepped(at, at + 20);
    expect(load.read(20_000, false)).toBeCloseTo(0.95, 3);
    expect(load.read(40_000, false)).toBeCloseTo(0, 3);
    expect(load.read(40_000, true)).toBeCloseTo(0.95, 3);
  });

  test("is the fraction of time spent in steps", () => {
    const load = new GpuLoad();
    for (let at = 0; at < 20_000; at += 20) load.stepped(at, at + 10);
    expect(load.read(20_000, false)).toBeCloseTo(0.475, 2);
  });
});
