import { type AllocatedShare, type Allocation, shareOf } from "./allocation.ts";
import { NO_WINDOWS, type WindowFigures } from "./figures.ts";
import type { Series } from "./recorder.ts";
import { eachWindow, Seconds, type Stretch } from "./windows.ts";

/** A stretch in which one allocation is in force. */
export interface Period {
  readonly stretch: Stretch;
  /** `undefined`: nobody is guaranteed anything. */
  readonly allocation: Allocation | undefined;
}

/** A floor of a fraction of a request guarantees nothing that could be counted. */
const LEAST_FLOOR = 1;

/** What one consumer got in the windows of a period. Whoever shares a floor with others has none of its own. */
export function consumerWindows(series: readonly Series[], consumer: number, period: Period): WindowFigures {
  const own = series[consumer];
  if (own === undefined) return NO_WINDOWS;
  const { allocation, stretch } = period;
  const extremes = { ...NO_WINDOWS, ...extremesOf([own.served], stretch) };
  if (allocation === undefined) return extremes;
  const share = shareOf(allocation, consumer);
  return {
    ...extremes,
    floor: share?.members.length === 1 ? floorOf(series, share, { stretch, allocation }) : null,
  };
}

/** What all got together in the windows of a period. */
export function commonWindows(series: readonly Series[], { allocation, stretch }: Period): WindowFigures {
  const admitted = series.map((row) => row.admitted);
  const extremes = extremesOf(admitted, stretch);
  if (allocation === undefined) return { ...NO_WINDOWS, ...extremes };
  const floors = allocation.shares.map((share) => floorOf(series, share, { allocation, stretch }));
  const capacity = (allocation.capacity * stretch.window) / 60;
  let utilization = Infinity;
  eachWindow([...admitted, ...series.map(({ claimed }) => claimed)], stretch, (sums) => {
    const got = sumOf(sums.slice(0, admitted.length));
    const wanted = Math.min(capacity, sumOf(sums.slice(admitted.length)));
    if (wanted > 0) utilization = Math.min(utilization, got / wanted);
  });
  return {
    ...extremes,
    floor: leastOf(floors),
    utilization: finite(utilization),
    fill: extremes.fullest === null ? null : extremes.fullest / capacity,
    unevenness: unevennessOf(series, { allocation, stretch }),
  };
}

/** The worst of several periods, each by itself. `unevenness` and extremes are of no meaning across them. */
export function worstOf(windows: readonly WindowFigures[]): Pick<WindowFigures, "floor" | "utilization" | "fill"> {
  const fills = windows.map(({ fill }) => fill).filter((fill) => fill !== null);
  return {
    floor: leastOf(windows.map(({ floor }) => floor)),
    utilization: leastOf(windows.map(({ utilization }) => utilization)),
    fill: fills.length === 0 ? null : Math.max(...fills),
  };
}

export function extremesOf(
  rows: readonly Seconds[],
  stretch: Stretch,
): { readonly worst: number | null; readonly fullest: number | null } {
  let worst = Infinity;
  let fullest = -Infinity;
  eachWindow(rows, stretch, (sums) => {
    const sum = sumOf(sums);
    worst = Math.min(worst, sum);
    fullest = Math.max(fullest, sum);
  });
  return { worst: finite(worst), fullest: finite(fullest) };
}

interface Allocated {
  readonly stretch: Stretch;
  readonly allocation: Allocation;
}

/**
 * The worst window: let in, of the floor or of what was claimed if that was less. Seconds in which nobody of the share asked
 * do not count towards the floor: who joins in the middle of a window is guaranteed nothing for what was before.
 */
function floorOf(series: readonly Series[], share: AllocatedShare, { stretch, allocation }: Allocated): number | null {
  const floor = (share.fraction * allocation.capacity * stretch.window) / 60;
  if (floor < LEAST_FLOOR) return null;
  const members = share.members.map((index) => series[index]).filter((row) => row !== undefined);
  const all = [new Seconds(), new Seconds(), new Seconds()] as const;
  const [admitted, claimed, asking] = all;
  for (let second = stretch.from; second < stretch.to; second++) {
    const asked = sumOf(members.map((row) => row.claimed.at(second)));
    claimed.add(second, asked);
    admitted.add(second, sumOf(members.map((row) => row.admitted.at(second))));
    if (asked > 0) asking.add(second);
  }
  let worst = Infinity;
  eachWindow(all, stretch, ([got = 0, wanted = 0, seconds = 0]) => {
    const due = Math.min((floor * seconds) / stretch.window, wanted);
    if (due >= LEAST_FLOOR) worst = Math.min(worst, got / due);
  });
  return finite(worst);
}

/** Only reservations that asked for more than they got compete. */
function unevennessOf(series: readonly Series[], { stretch, allocation }: Allocated): number | null {
  const parts = allocation.shares.flatMap(({ reserved, fraction, members }) => {
    const total = (pick: (row: Series) => Seconds): number =>
      members.reduce((sum, index) => sum + (series[index] ? pick(series[index]).sum(stretch.from, stretch.to) : 0), 0);
    const admitted = total((row) => row.admitted);
    return reserved && total((row) => row.claimed) > admitted ? [admitted / fraction] : [];
  });
  return parts.length < 2 ? null : Math.max(...parts) / Math.min(...parts) - 1;
}

function leastOf(values: readonly (number | null)[]): number | null {
  return finite(Math.min(...values.filter((value) => value !== null)));
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function sumOf(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
