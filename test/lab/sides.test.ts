import { describe, expect, test } from "vitest";

import { judgeable, lasting } from "../../src/lab/sides.ts";
import { builtIn } from "./kit.ts";

const OWN = { sight: "own count", scaled: false } as const;

describe("what is judged", () => {
  test("is everything in a run of the simulated model with the durations of the file", async () => {
    const scenario = await builtIn("shared-deployment");
    expect(judgeable(scenario, OWN)).toEqual({ scenario, leftOut: [] });
  });

  test("is no count of a run with other durations, but that of none at all", async () => {
    const whole = await builtIn("shared-deployment");
    const { scenario, leftOut } = judgeable(lasting(whole, 1_500_000), { ...OWN, scaled: true });
    expect(leftOut).toEqual(["late joiner: dev served is a count for the durations in the file"]);
    expect(scenario.assertions).toEqual(whole.assertions);
  });

  test("is every count of phases that last until their requests are over", async () => {
    const scenario = await builtIn("fragile-gpu");
    expect(judgeable(lasting(scenario, 60_000), { ...OWN, scaled: true }).leftOut).toEqual([]);
  });
});
