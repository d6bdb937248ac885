import { systemClock } from "../../src/engine/clock.ts";
import { DEFAULT_BEHAVIOUR } from "../../src/lab/scenario/default-behaviour.ts";
import type { HttpDoor } from "../../src/lab/http/door.ts";
import { startLoad } from "../../src/lab/load/run.ts";
import type { Visit } from "../../src/lab/load/types.ts";
import type { Arrivals, Behaviour, Scenario } from "../../src/lab/scenario/types.ts";

/** What the generator saw. */
export interface Seen {
  readonly visits: readonly Visit[];
  /** Between pieces of content, of all answers. */
  readonly gaps: { readonly sumMs: number; readonly count: number };
  /** What it took of its own processor, 1 being a whole one. */
  readonly cpu: number;
}

/** Questions as in the article: about 116 tokens, and an answer as long as the model likes. */
const BEHAVIOUR: Behaviour = { ...DEFAULT_BEHAVIOUR, prompt: { kind: "turns", values: [116] } };

/** Sends load for some seconds, and reads every answer to its end. */
export async function send(
  door: HttpDoor,
  { arrivals, seconds, behaviour = {} }: { arrivals: Arrivals; seconds: number; behaviour?: Partial<Behaviour> },
): Promise<Seen> {
  const visits: Visit[] = [];
  const gaps = { sumMs: 0, count: 0 };
  const observer = {
    sent: () => {},
    gap: (_: Visit, gap: number) => {
      gaps.sumMs += gap;
      gaps.count += 1;
    },
    ended: (visit: Visit) => void visits.push(visit),
    phaseBegan: () => {},
    phaseEnded: () => {},
  };
  const scenario = scenarioOf(arrivals, seconds, { ...BEHAVIOUR, ...behaviour });
  const startedAt = performance.now();
  const startedCpu = process.cpuUsage();
  await new Promise<void>((resolve) => {
    startLoad({ scenario, door, clock: systemClock, seed: 1, observer, configure: () => {} }, resolve);
  });
  const { user, system } = process.cpuUsage(startedCpu);
  return { visits, gaps, cpu: (user + system) / 1_000 / (performance.now() - startedAt) };
}

function scenarioOf(arrivals: Arrivals, seconds: number, behaviour: Behaviour): Scenario {
  const load = { consumer: "generator", arrivals, fromMs: 0, behaviour };
  return {
    name: "generator",
    description: "",
    models: ["nim-gpt-oss-20b"],
    gate: undefined,
    speed: 1,
    windowMs: 60_000,
    slo: { ttftMs: undefined, tpotMs: undefined, e2eMs: undefined },
    consumers: [{ name: "generator", key: "k-generator" }],
    phases: [{ name: "load", durationMs: seconds * 1_000, loads: [load], gate: undefined, assertions: [] }],
    assertions: [],
  };
}
