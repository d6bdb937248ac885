import type { Assertion } from "./assertion.ts";
import type { Member } from "./gate-tree.ts";
import type { Gates } from "./gates.ts";
import type { Overrides } from "./schema/behaviour.ts";
import type { AssertSection } from "./schema/conditions.ts";
import type { Draft, DraftPhase } from "./schema/file.ts";
import type { DraftLoad } from "./schema/load.ts";
import { DEFAULT_BEHAVIOUR } from "./default-behaviour.ts";
import type { Arrivals, Behaviour, Phase, PhaseLoad, Scenario, TracedRequest } from "./types.ts";

/** All that a scenario is made of, right in every part and in how the parts go together. */
export interface Parts {
  readonly name: string;
  readonly draft: Draft;
  readonly members: readonly Member[];
  readonly gates: Gates;
  /** By the path in the file. */
  readonly traces: ReadonlyMap<string, readonly TracedRequest[]>;
}

/** Puts a scenario together: each of those who are alike gets its own load and assertions. */
export function buildScenario(parts: Parts): Scenario {
  const { name, draft, members, gates } = parts;
  const { description, models, speed, windowMs, slo } = draft;
  return {
    name,
    description,
    models,
    gate: gates.first,
    speed,
    windowMs,
    slo,
    consumers: members.map(({ name, key }) => ({ name, key })),
    phases: draft.phases.map((phase, index) => toPhase(parts, phase, index)),
    assertions: toAssertions(draft.assert, members),
  };
}

function toPhase(parts: Parts, phase: DraftPhase, index: number): Phase {
  return {
    name: phase.name,
    durationMs: phase.durationMs,
    loads: [...phase.loads].flatMap(([family, load]) => toLoads(parts, family, load)),
    gate: parts.gates.changes[index],
    assertions: toAssertions(phase.assert, parts.members),
  };
}

function toLoads({ draft, members, traces }: Parts, family: string, load: DraftLoad): readonly PhaseLoad[] {
  const arrivals = toArrivals(load, traces);
  const behaviour = [draft.defaults, draft.consumers.get(family)?.overrides ?? {}, load.overrides].reduce(
    apply,
    DEFAULT_BEHAVIOUR,
  );
  return namesOf(family, members).map((consumer) => ({ consumer, arrivals, fromMs: load.fromMs, behaviour }));
}

function namesOf(family: string, members: readonly Member[]): readonly string[] {
  return members.filter((member) => member.family === family).map(({ name }) => name);
}

function apply(before: Behaviour, from: Overrides): Behaviour {
  return {
    api: from.api ?? before.api,
    model: from.model ?? before.model,
    prompt: from.prompt ?? before.prompt,
    output: from.output === "none" ? undefined : (from.output ?? before.output),
    stream: from.stream ?? before.stream,
    patienceMs: from.patienceMs ?? before.patienceMs,
    retry: from.retry ?? before.retry,
    abort: from.abort === "none" ? undefined : (from.abort ?? before.abort),
    connection: from.connection ?? before.connection,
    body: { ...before.body, ...from.body },
  };
}

function toArrivals(load: DraftLoad, traces: Parts["traces"]): Arrivals {
  const { perMinute, arrivals, burstiness, workers, requests, pauseMs, burst, replay } = load;
  if (perMinute !== undefined) {
    return arrivals === "gamma"
      ? { kind: arrivals, perMinute, burstiness: burstiness ?? 1 }
      : { kind: arrivals, perMinute };
  }
  if (workers !== undefined) return { kind: "workers", steps: workers, requests, pauseMs };
  if (burst !== undefined) return { kind: "burst", sizes: burst };
  return { kind: "replay", requests: traces.get(replay ?? "") ?? [] };
}

function toAssertions({ all, consumers }: AssertSection, members: readonly Member[]): readonly Assertion[] {
  const ofEach = [...consumers].flatMap(([family, assertions]) =>
    namesOf(family, members).flatMap((consumer) => assertions.map((assertion) => ({ ...assertion, consumer }))),
  );
  return [...all, ...ofEach];
}
