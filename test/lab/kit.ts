import type { Cancel, Clock } from "../../src/contracts/clock.ts";
import type { RunObserver } from "../../src/lab/load/run.ts";
import { startLoad } from "../../src/lab/load/run.ts";
import type { AnswerListener, Door, Question, Visit } from "../../src/lab/load/types.ts";
import { findScenario, readScenario } from "../../src/lab/scenario/index.ts";
import { DEFAULT_BEHAVIOUR } from "../../src/lab/scenario/default-behaviour.ts";
import type { Arrivals, Behaviour, Phase, PhaseLoad, Scenario } from "../../src/lab/scenario/types.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

/** Answers by a script, on a clock. */
export class ScriptedDoor implements Door {
  readonly asked: { readonly question: Question; readonly at: number }[] = [];
  open = 0;
  mostOpen = 0;
  hungUp = 0;
  readonly #clock: Clock;
  readonly #answer: (question: Question, listener: AnswerListener, number: number) => void;

  constructor(clock: Clock, answer: (question: Question, listener: AnswerListener, number: number) => void) {
    this.#clock = clock;
    this.#answer = answer;
  }

  ask(question: Question, listener: AnswerListener): Cancel {
    this.asked.push({ question, at: this.#clock.now() });
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    let isOver = false;
    const over = (): void => {
      if (!isOver) this.open -= 1;
      isOver = true;
    };
    this.#answer(
      question,
      {
        began: (head) => isOver || listener.began(head),
        content: (pieces) => isOver || listener.content(pieces),
        ended: (end) => {
          if (isOver) return;
          over();
          listener.ended(end);
        },
      },
      this.asked.length,
    );
    return () => {
      if (!isOver) this.hungUp += 1;
      over();
    };
  }
}

export const OK_HEAD = { status: 200, outcome: "", queueMs: 0, retryAfterMs: undefined, shouldRetry: undefined };

/** A streamed answer of so many tokens, the first after `firstMs`, the others `gapMs` apart. */
export function streamed(
  clock: Clock,
  { firstMs = 100, gapMs = 10, tokens = 5 } = {},
): (question: Question, listener: AnswerListener) => void {
  return (question, listener) => {
    clock.after(firstMs, () => listener.began(OK_HEAD));
    for (let token = 0; token < tokens; token++) clock.after(firstMs + token * gapMs, () => listener.content(1));
    clock.after(firstMs + (tokens - 1) * gapMs, () =>
      listener.ended({ kind: "complete", inputTokens: question.promptTokens, outputTokens: tokens }),
    );
  };
}

/** A refusal after a millisecond. */
export function refused(
  clock: Clock,
  retryAfterMs: number | undefined,
  status = 429,
): (question: Question, listener: AnswerListener) => void {
  return (_, listener) => {
    clock.after(1, () => {
      listener.began({ ...OK_HEAD, status, outcome: "rate_limited", retryAfterMs });
      listener.ended({ kind: "complete", inputTokens: undefined, outputTokens: undefined });
    });
  };
}

export function loadOf(
  arrivals: Arrivals,
  behaviour: Partial<Behaviour> = {},
  rest: Partial<PhaseLoad> = {},
): PhaseLoad {
  return { consumer: "a", arrivals, fromMs: 0, behaviour: { ...DEFAULT_BEHAVIOUR, ...behaviour }, ...rest };
}

export function phaseOf(loads: readonly PhaseLoad[], durationMs?: number, name = "only"): Phase {
  return { name, durationMs, loads, gate: undefined, assertions: [] };
}

export function scenarioOf(phases: readonly Phase[], rest: Partial<Scenario> = {}): Scenario {
  const names = [...new Set(phases.flatMap(({ loads }) => loads.map(({ consumer }) => consumer)))];
  return {
    name: "test",
    description: "A test.",
    models: ["instant"],
    gate: undefined,
    speed: 1,
    windowMs: 60_000,
    slo: { ttftMs: undefined, tpotMs: undefined, e2eMs: undefined },
    consumers: names.map((name) => ({ name, key: `lab-${name}` })),
    phases,
    assertions: [],
    ...rest,
  };
}

export interface Played {
  readonly door: ScriptedDoor;
  readonly clock: VirtualClock;
  /** In the order of their ends. */
  readonly visits: readonly Visit[];
  readonly gaps: readonly number[];
  /** When each phase began and ended. */
  readonly phases: readonly { readonly from: number; to: number }[];
  readonly endedAt: number;
}

type Script = (clock: VirtualClock) => (question: Question, listener: AnswerListener, number: number) => void;

/** Runs a scenario against a script until nothing is scheduled any more. */
export function play(scenario: Scenario, script: Script, { seed = 1, clock = new VirtualClock() } = {}): Played {
  const door = new ScriptedDoor(clock, script(clock));
  const visits: Visit[] = [];
  const gaps: number[] = [];
  const phases: { from: number; to: number }[] = [];
  const observer: RunObserver = {
    phaseBegan: (_, at) => void phases.push({ from: at, to: Number.NaN }),
    phaseEnded: (index, at) => {
      const phase = phases[index];
      if (phase !== undefined) phase.to = at;
    },
    sent: () => {},
    gap: (_, gap) => void gaps.push(gap),
    ended: (visit) => void visits.push(visit),
  };
  let endedAt = Number.NaN;
  startLoad({ scenario, door, clock, seed, observer, configure: () => {} }, () => {
    endedAt = clock.now();
  });
  clock.runAll();
  return { door, clock, visits, gaps, phases, endedAt };
}

/** A built-in scenario, by its name. */
export async function builtIn(name: string): Promise<Scenario> {
  const found = await findScenario(name);
  if (found.kind !== "found") throw new Error(`${name} ${found.rule}`);
  const result = await readScenario(found.path, {});
  if (result.kind !== "valid") throw new Error(JSON.stringify(result.problems));
  return result.scenario;
}
