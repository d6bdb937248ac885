import type { Finding } from "../problem.ts";
import { formatCount, formatPercent } from "../units.ts";
import type { ConsumerView } from "../view/consumers.ts";
import type { PolicyView } from "../view/policy.ts";
import type { Seen } from "../view/sight.ts";
import type { DeploymentView } from "../view/view.ts";
import { error, warning } from "./finding.ts";
import { limitOf } from "./limits.ts";

/** Capacity, reservations and modes. */
export function checkShares(
  deployment: DeploymentView,
  consumers: ReadonlyMap<string, ConsumerView> | undefined,
): readonly Finding[] {
  const { policy, maxConcurrent } = deployment;
  return [
    ...checkCapacity(deployment),
    ...checkSum(deployment),
    ...checkModes(deployment),
    ...[...policy.reservations].flatMap(([name, reservation]) => [
      ...checkSeat(reservation, maxConcurrent),
      ...checkFloor(name, reservation, { policy, consumers }),
    ]),
  ];
}

function checkCapacity({ path, policy: { capacity, given } }: DeploymentView): readonly Finding[] {
  if (capacity === undefined) {
    const hint = "capacity: { requests_per_minute: 1000 } says what there is to reserve";
    return given.reservations
      ? [error([...path, "reservations"], "need a capacity that they are parts of", { at: "key", hint })]
      : [];
  }
  const { threshold } = capacity;
  return [
    ...(capacity.hasRate ? [] : [error(capacity.path, "needs requests_per_minute, tokens_per_minute or both")]),
    ...(threshold?.value === 1
      ? [
          warning(
            threshold.path,
            "is 100%: nobody is held to their share before all of the capacity is used",
            "70% to 80% leaves room to act in",
          ),
        ]
      : []),
  ];
}

/** Whole millionths of a percent: 0.1 + 0.2 + 0.7 has to be 1. */
const EXACT = 1e8;

function checkSum({ path, policy: { reservations } }: DeploymentView): readonly Finding[] {
  const sum = [...reservations.values()].reduce((sum, { value }) => sum + Math.round(value * EXACT), 0) / EXACT;
  const place = [...path, "reservations"];
  if (sum > 1) return [error(place, `add up to ${formatPercent(sum)}, and 100% is all there is`, { at: "key" })];
  if (sum <= 0.9) return [];
  const rule = `add up to ${formatPercent(sum)}: all others share the ${formatPercent(1 - sum)} that is left`;
  return [warning(place, rule, "leave 10% to 20% to those who have no reservation", "key")];
}

/** Reservations are the weights of the queue, too; there, a part of a seat is a seat now and then. */
function checkSeat({ value, path }: Seen<number>, maxConcurrent: Seen<number> | undefined): readonly Finding[] {
  if (maxConcurrent === undefined || value * maxConcurrent.value >= 1 - 1e-9) return [];
  const seats = Number((value * maxConcurrent.value).toFixed(2));
  const rule = `is less than one seat (${seats} of ${formatCount(maxConcurrent.value)}): when all are taken, it waits for its turn`;
  return [warning(path, rule, `one seat is ${formatPercent(Math.ceil(1e4 / maxConcurrent.value) / 1e4)}`)];
}

function checkFloor(
  name: string,
  { value, path }: Seen<number>,
  view: { readonly policy: PolicyView; readonly consumers: ReadonlyMap<string, ConsumerView> | undefined },
): readonly Finding[] {
  const { capacity } = view.policy;
  const rates = [
    { limit: "requests_per_minute", rate: capacity?.requests },
    { limit: "tokens_per_minute", rate: capacity?.tokens },
  ] as const;
  return rates.flatMap(({ limit, rate }) => {
    const floor = Math.round((rate?.value ?? 0) * value * 1e6) / 1e6;
    const most = limitOf(name, limit, view);
    if (floor <= most) return [];
    const rule = `is ${floor.toLocaleString("en-US")} ${limit.replaceAll("_", " ")}, and limits let it have only ${most.toLocaleString("en-US")}`;
    return [warning(path, rule, "raise the limit by an exception, or reserve less")];
  });
}

function checkModes({ path, policy: { mode, modes, given, capacity } }: DeploymentView): readonly Finding[] {
  const own = given.mode && mode !== undefined ? [mode] : [];
  const all = [...own, ...modes.values()];
  if (capacity === undefined) {
    const keys = (["mode", "modes"] as const).filter((key) => given[key]);
    const rule = "has no effect without a capacity: there are no shares to be over";
    return keys.map((key) => warning([...path, key], rule, undefined, "key"));
  }
  if (given.queue) return [];
  const hint = "queue: {} takes the defaults of one";
  return all
    .filter(({ value }) => value === "queue")
    .map(({ path }) => error(path, "needs a queue to wait in", { hint }));
}
