import { expect, test } from "vitest";
import { FairQueue } from "./fair-queue.ts";
import type { Arrival, FairQueueConfig } from "./types.ts";

const CONFIG: FairQueueConfig = {
  seats: 1,
  maxInflightTokens: Infinity,
  maxLength: 100,
  maxBytes: 1_000_000,
  initialEstimateMs: 1_000,
  shares: [{ name: "pool", weight: 1 }],
};

test.each<[Partial<FairQueueConfig>, string]>([
  [{ seats: 0 }, "seats must be a whole number, 1 or more, got 0"],
  [{ seats: 1.5 }, "seats must be a whole number, 1 or more, got 1.5"],
  [{ maxInflightTokens: 0 }, "maxInflightTokens must be above 0, got 0"],
  [{ maxLength: -1 }, "maxLength must be a whole number, 0 or more, got -1"],
  [{ maxBytes: Number.NaN }, "maxBytes must be 0 or more, got NaN"],
  [{ initialEstimateMs: 0 }, "initialEstimateMs must be a finite number above 0, got 0"],
  [{ shares: [] }, "shares must have at least one element, got 0"],
  [{ shares: [{ name: "x", weight: 0 }] }, 'the weight of share "x" must be a finite number above 0, got 0'],
  [
    {
      shares: [
        { name: "x", weight: 1 },
        { name: "x", weight: 1 },
      ],
    },
    'the names of shares must differ, got "x"',
  ],
])("the configuration %j is refused", (config, message) => {
  expect(() => new FairQueue<string>({ ...CONFIG, ...config })).toThrow(new RangeError(message));
});

test.each<[Partial<Arrival<string>>, string]>([
  [{ tokens: Infinity }, "tokens must be a finite number, 0 or more, got Infinity"],
  [{ bytes: -1 }, "bytes must be a finite number, 0 or more, got -1"],
  [{ patienceMs: Number.NaN }, "patienceMs must be a number, got NaN"],
])("the arrival %j is refused", (arrival, message) => {
  const sound = { share: "pool", member: "a", tokens: 0, bytes: 0, patienceMs: 0, payload: "" };
  expect(() => new FairQueue<string>(CONFIG).offer({ ...sound, ...arrival }, 0)).toThrow(new RangeError(message));
});

test("a change to seats or shares that cannot be kept is refused", () => {
  const queue = new FairQueue<string>(CONFIG);
  expect(() => queue.setSeats(-1)).toThrow(new RangeError("seats must be a whole number, 0 or more, got -1"));
  expect(() => queue.setShares([])).toThrow(new RangeError("shares must have at least one element, got 0"));
});
