import { expect, test } from "vitest";

import { LatencySteps } from "./latency-steps.ts";

test("latency over time keeps every answer in steps that grow with the run, 240 at most", () => {
  const steps = new LatencySteps();
  for (let second = 0; second < 10_000; second++) steps.record(second * 1_000, 10, 20);
  const count = Math.ceil(10_000 / steps.stepS);
  expect(steps.stepS).toBe(60);
  expect(count).toBeLessThanOrEqual(240);
  const perStep = Array.from({ length: count }, (_, index) => steps.at(index)?.ttft.count);
  expect(perStep.slice(0, -1).every((answers) => answers === 60)).toBe(true);
  expect(perStep.reduce((sum = 0, answers = 0) => sum + answers, 0)).toBe(10_000);
});
