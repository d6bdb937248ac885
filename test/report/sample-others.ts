import type { PhaseFigures, Report, Side } from "../../src/lab/report/types.ts";
import { figures } from "./sample-figures.ts";
import { sampleReport } from "./sample.ts";

/** A report as `headgate load fragile-gpu` would write it, as far as its tables go. */
export function fragileReport(): Report {
  const counts: readonly [string, number, number][] = [
    ["ladder", 60, 0],
    ["bursts", 85, 0],
    ["large context", 5, 0],
    ["long generation", 5, 0],
    ["memory pressure", 4, 0],
    ["rapid reconnect", 50, 50],
    ["sustained", 21, 0],
  ];
  const phases = counts.map(([name, served, aborted]) =>
    phaseOf(name, served, { aborted, sent: served + aborted, failed: 0 }),
  );
  return withPhases("fragile-gpu", [{ name: "with the gate", phases }]);
}

/** A report as `headgate load prompt-speed` would write it, as far as its tables go. */
export function promptReport(): Report {
  const speeds = [
    { name: "strix-halo-235b-batch-256", prompt: [291, 486, 405], generation: 9 },
    { name: "strix-halo-235b", prompt: [312, 517.5, 460.2], generation: 9.5 },
  ];
  const sides = speeds.map(({ name, prompt, generation }) => ({
    name,
    phases: [
      ...prompt.map((speed, index) =>
        phaseOf(`${[500, 1_000, 2_000][index] ?? 0} tokens`, 5, {
          prompt_tokens_per_s: speed,
          generation_tokens_per_s: generation,
        }),
      ),
      phaseOf("generation", 5, { prompt_tokens_per_s: 180, generation_tokens_per_s: generation }),
    ],
  }));
  return withPhases("prompt-speed", sides);
}

function phaseOf(name: string, served: number, more: Partial<PhaseFigures>): PhaseFigures {
  const counts = { sent: served, served, refused: 0, minutes: 1, ttftMs: 1_700, e2eMs: 9_000 };
  return { ...figures(counts), name, from_s: 0, to_s: 60, model: null, ...more };
}

function withPhases(scenario: string, sides: readonly Pick<Side, "name" | "phases">[]): Report {
  const report = sampleReport();
  const [side] = report.sides;
  if (side === undefined) throw new Error("the sample has a side");
  return {
    ...report,
    scenario: { ...report.scenario, name: scenario },
    sides: sides.map((own) => ({ ...side, ...own, seats: null, consumers: [] })),
  };
}
