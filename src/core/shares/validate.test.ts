import { expect, test } from "vitest";
import { Shares } from "./shares.ts";
import type { Reservation, SharesConfig } from "./types.ts";

const CONFIG: SharesConfig = {
  unitsPerMinute: 600,
  utilizationThreshold: 0.8,
  burstSeconds: 10,
  meterSeconds: 30,
  typicalCost: 1,
  reservations: [],
};

function reserved(...reservations: readonly [name: string, fraction: number][]): Partial<SharesConfig> {
  return { reservations: reservations.map(([name, fraction]): Reservation => ({ name, fraction, group: false })) };
}

test.each<[Partial<SharesConfig>, string]>([
  [{ unitsPerMinute: 0 }, "unitsPerMinute must be a finite number above 0, got 0"],
  [{ unitsPerMinute: Infinity }, "unitsPerMinute must be a finite number above 0, got Infinity"],
  [{ utilizationThreshold: 0 }, "utilizationThreshold must be above 0 and at most 1, got 0"],
  [{ utilizationThreshold: 1.1 }, "utilizationThreshold must be above 0 and at most 1, got 1.1"],
  [{ burstSeconds: -1 }, "burstSeconds must be a finite number, 0 or more, got -1"],
  [{ meterSeconds: -1 }, "meterSeconds must be a finite number, 0 or more, got -1"],
  [{ typicalCost: Number.NaN }, "typicalCost must be a finite number above 0, got NaN"],
  [reserved(["a", 0]), 'the fraction of reservation "a" must be above 0, got 0'],
  [reserved(["a", 0.2], ["a", 0.3]), 'the names of reservations must differ and not be "pool", got "a"'],
  [reserved(["pool", 0.2]), 'the names of reservations must differ and not be "pool", got "pool"'],
  [reserved(["a", 0.5], ["b", 0.75]), "all reservations together must be at most 1, got 1.25"],
])("%j cannot be kept: %s", (part, message) => {
  expect(() => new Shares({ ...CONFIG, ...part }, 0)).toThrow(new RangeError(message));
  expect(() => new Shares(CONFIG, 0).reconfigure({ ...CONFIG, ...part }, 0)).toThrow(new RangeError(message));
});

test("fractions that add up to 1 but for rounding can be kept", () => {
  expect(() => new Shares({ ...CONFIG, ...reserved(["a", 0.7], ["b", 0.2], ["c", 0.1]) }, 0)).not.toThrow();
});

test("a share that is not there, and costs that are no numbers, are mistakes of the caller", () => {
  const shares = new Shares(CONFIG, 0);
  expect(() => shares.check("a", "m", 1, 0)).toThrow(new RangeError('there is no share "a"'));
  expect(() => shares.check("pool", "m", -1, 0)).toThrow(
    new RangeError("cost must be a finite number, 0 or more, got -1"),
  );
  expect(() => shares.charge("pool", "m", Number.NaN, 0, "room")).toThrow("cost must be a finite number");
  expect(() => shares.trueUp("pool", "m", Infinity, 0, "room")).toThrow("delta must be a finite number, got Infinity");
});
