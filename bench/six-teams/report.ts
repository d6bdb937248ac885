import type { Machine } from "../report/machine.ts";
import { type Finding, lateness, OVERLOAD, visitsOf } from "./judge.ts";
import { type Extent, isAdmitted, isSettled, type Measured, rangeOf, tokenTimes } from "./measured.ts";
import type { Visit } from "./plan.ts";
import type { Scenario } from "./scenario.ts";

/** Who got how much. */
export function servedTable(scenario: Scenario, extent: Extent, { flood: { visits } }: Measured): string {
  const rows = scenario.contenders.map((contender) => ({ ...contender, visits: visitsOf(contender, visits) }));
  const all = { name: "all", floor: scenario.capacity, visits };
  return table(
    ["requests", "sent", "served", "% of sent", "floor/min", `worst ${extent.window} s`, `best ${extent.window} s`],
    [...rows, all].map(({ name, floor, visits }) => {
      const served = visits.filter(isAdmitted).length;
      const { least, most } = rangeOf(visits, extent);
      const percent = (100 * served) / visits.length;
      return [name, visits.length, served, percent.toFixed(1), Math.round(floor), least, most];
    }),
  );
}

/** How requests ended that were not served: how often which status and outcome. */
export function refusals({ flood: { visits } }: Measured): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, outcome } of visits.filter((visit) => !isAdmitted(visit))) {
    const name = `${status} ${outcome}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What became of the token times and the model. */
export function figuresTable(extent: Extent, { alone, flood }: Measured): string {
  const settled = flood.visits.filter((visit) => isSettled(visit, extent));
  const [before, first, after] = [alone.visits, flood.visits.filter((visit) => !isSettled(visit, extent)), settled].map(
    (visits) => tokenTimes(visits),
  );
  const row = (name: string, ...values: readonly (number | undefined)[]): readonly string[] => [
    name,
    ...values.map((value) => (value === undefined ? "" : value.toFixed(1))),
  ];
  return table(
    ["token times", "alone", `first ${extent.settling} s`, "settled"],
    [
      row("first token, client, p50 ms", before?.firstToken.p50, first?.firstToken.p50, after?.firstToken.p50),
      row("first token, client, p99 ms", before?.firstToken.p99, first?.firstToken.p99, after?.firstToken.p99),
      row("first token, model, mean ms", alone.model.firstToken, undefined, flood.model.firstToken),
      row("between tokens, client, mean ms", before?.interToken.mean, first?.interToken.mean, after?.interToken.mean),
      row("between tokens, client, p99 ms", before?.interToken.p99, first?.interToken.p99, after?.interToken.p99),
      row("between tokens, model, mean ms", alone.model.interToken, undefined, flood.model.interToken),
      row("running at the model, mean", alone.model.running, undefined, flood.model.running),
      row("GPU, %", alone.model.gpuPercent, undefined, flood.model.gpuPercent),
      row("KV cache, %", alone.model.kvPercent, undefined, flood.model.kvPercent),
      row("generator late, p99 ms", undefined, undefined, lateness(settled)),
    ],
  );
}

/** The promises, one a line. */
export function findingsTable(findings: readonly Finding[]): string {
  return table(
    ["must hold", "aim", "seen", ""],
    findings.map(({ what, aim, seen, digits, ok }) => [what, aim, seen.toFixed(digits), ok ? "ok" : "MISSED"]),
  );
}

export interface RunFacts {
  readonly machine: Machine;
  /** The priority of all processes: 0 is usual, below it they go first. */
  readonly nice: number;
  readonly date: string;
  readonly node: string;
  readonly commit: string;
}

/** `bench/results/six-teams.json`. Times are ms. */
export function toResults(
  facts: RunFacts,
  scenario: Scenario,
  { extent, measured, findings }: { extent: Extent; measured: Measured; findings: readonly Finding[] },
): object {
  const { alone, flood, stats, gate } = measured;
  const settled = flood.visits.filter((visit) => isSettled(visit, extent));
  return {
    ...facts,
    ok: findings.every(({ ok }) => ok),
    seconds: extent,
    capacity_per_minute: scenario.capacity,
    overload: OVERLOAD,
    seats: scenario.seats,
    stated_burst: round(scenario.burst),
    consumers: Object.fromEntries(
      scenario.contenders.map((contender) => {
        const mine = visitsOf(contender, flood.visits);
        const { least, most } = rangeOf(mine, extent);
        const counts = { sent: mine.length, served: mine.filter(isAdmitted).length };
        return [contender.name, { floor: round(contender.floor), ...counts, worst_window: least, best_window: most }];
      }),
    ),
    refused: refusals(measured),
    alone: { ...roundAll(alone.model), client: timesOf(alone.visits) },
    settled: { ...roundAll(flood.model), client: timesOf(settled), generator_late_p99: round(lateness(settled)) },
    max_concurrent_seen: stats.max_concurrent_seen,
    admitted_by_the_gate: gate.admitted,
    completed_by_the_model: stats.requests.completed,
    findings: findings.map(({ what, aim, seen, digits, ok }) => ({
      what,
      aim,
      seen: Number(seen.toFixed(digits)),
      ok,
    })),
  };
}

function timesOf(visits: readonly Visit[]): object {
  const { firstToken, interToken } = tokenTimes(visits);
  return { first_token: roundAll(firstToken), inter_token: roundAll(interToken) };
}

function roundAll(values: object): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(Number(value))]));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Text to the left, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(Math.max(42, widths[0] ?? 0)) : text.padStart((widths[column] ?? 0) + 3);
  return lines
    .map((line) => line.map(cell).join("").trimEnd())
    .join("\n")
    .concat("\n");
}
