import { expect, test } from "vitest";
import { closest, editDistance } from "./suggest.ts";

const KEYS = ["max_concurrent", "max_inflight_tokens", "queue", "models", "backends", "timeouts"];

test.each([
  ["max_concurent", "max_concurrent"],
  ["maxConcurrent", "max_concurrent"],
  ["max-inflight-tokens", "max_inflight_tokens"],
  ["quue", "queue"],
  ["qeueu", "queue"],
  ["model", "models"],
  ["backend", "backends"],
  ["timeout", "timeouts"],
])("%s is close to %s", (typed, meant) => {
  expect(closest(typed, KEYS)).toBe(meant);
});

test.each(["", "x", "replicas", "z".repeat(65)])("nothing is close to %j", (typed) => {
  expect(closest(typed, KEYS)).toBeUndefined();
});

test("the distance counts insertions, deletions, substitutions and swaps", () => {
  expect(["", "a", "abc", "acb", "abxc", "xbc"].map((word) => editDistance(word, "abc"))).toEqual([3, 2, 0, 1, 1, 1]);
});
