import type { LimitName } from "../../core/policy/limits.ts";
import { RATE_LIMITS } from "../../core/policy/limits.ts";
import type { Finding } from "../problem.ts";
import { formatPath } from "../show.ts";
import { formatCount } from "../units.ts";
import type { ConsumerView } from "../view/consumers.ts";
import type { PolicyView, RowView } from "../view/policy.ts";
import type { Seen } from "../view/sight.ts";
import { error, warning } from "./finding.ts";

type Consumers = ReadonlyMap<string, ConsumerView> | undefined;

/** What an exact log may hold. Source: design of admission, section 1.6. */
const LONGEST_LOG = 10_000;

/** Limits that block, and exact logs that grow too long. */
export function checkLimits(policy: PolicyView, consumers: Consumers): readonly Finding[] {
  return [
    ...checkBlocks(policy.limits, "everybody who has no exception"),
    ...[...policy.exceptions].flatMap(([name, row]) =>
      checkBlocks(row, consumers?.get(name)?.kind === "group" ? `every member of ${name}` : name),
    ),
    ...checkLogs(policy, consumers),
  ];
}

function checkBlocks({ values }: RowView, who: string): readonly Finding[] {
  return [...values.values()]
    .filter(({ value }) => value === 0)
    .map(({ path }) => warning(path, `is 0: ${who} is blocked`, "to have no limit, leave it out"));
}

/** `strict` may stand in one row, and the limit that it makes a log of in another. */
function checkLogs(policy: PolicyView, consumers: Consumers): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const rows of chainsOf(policy, consumers)) {
    const strictRow = rows.find(({ strict }) => strict !== undefined);
    if (strictRow?.strict?.value !== true) continue;
    for (const { name, counted } of RATE_LIMITS) {
      const limit = limitIn(rows, name);
      if (counted !== "requests" || limit === undefined || limit.value <= LONGEST_LOG) continue;
      const inherited = rows.indexOf(strictRow) < rows.findIndex(({ values }) => values.has(name));
      const finding = inherited
        ? error(
            strictRow.strict.path,
            `keeps a log of every request, and ${formatPath(limit.path)} is ${formatCount(limit.value)}: 10k is the most`,
          )
        : error(limit.path, "must be at most 10k where strict is true", { received: formatCount(limit.value) });
      findings.set(JSON.stringify([finding.path, finding.rule]), finding);
    }
  }
  return [...findings.values()];
}

/** The rows that hold for each consumer, the most specific first: its own, those of its groups, the default policy. */
function chainsOf(policy: PolicyView, consumers: Consumers): readonly (readonly RowView[])[] {
  const names = new Set([...(consumers?.keys() ?? []), ...policy.exceptions.keys()]);
  const chains = [...names].map((name) => rowsFor(name, policy, consumers)).filter((rows) => rows.length > 1);
  return [[policy.limits], ...chains];
}

function rowsFor(name: string, { limits, exceptions }: PolicyView, consumers: Consumers): readonly RowView[] {
  const groups = consumers?.get(name)?.groups.map(({ value }) => value) ?? [];
  return [...[name, ...groups].flatMap((name) => exceptions.get(name) ?? []), limits];
}

function limitIn(rows: readonly RowView[], name: LimitName): Seen<number> | undefined {
  return rows.find(({ values }) => values.has(name))?.values.get(name);
}

/** A limit of a consumer, or of all members of a reserved group together; `Infinity` where one of them has none. */
export function limitOf(
  name: string,
  limit: LimitName,
  { policy, consumers }: { readonly policy: PolicyView; readonly consumers: Consumers },
): number {
  const of = (name: string): number => limitIn(rowsFor(name, policy, consumers), limit)?.value ?? Infinity;
  if (consumers?.get(name)?.kind !== "group") return of(name);
  // A member that has a reservation of its own, or of a group before this one, does not draw on this one.
  const members = [...consumers.values()].filter((member) => {
    if (member.kind === "group") return false;
    const names = [member.name, ...member.groups.map(({ value }) => value)];
    return names.find((name) => policy.reservations.has(name)) === name;
  });
  return members.length === 0 ? Infinity : members.reduce((sum, member) => sum + of(member.name), 0);
}
