import { formatCount, formatMs, formatRatio, UNKNOWN } from "../numbers.ts";
import type { Figures, Side } from "../types.ts";
import { wedgeText } from "../verdict.ts";
import { toneOfFloor } from "./figures.ts";
import type { Tone } from "./table.ts";

/** One of the big numbers. */
export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly tone: Tone;
}

/** The figures that sum up a side. */
export function glance(side: Side): readonly Tile[] {
  const { total } = side;
  return [
    servedTile(total),
    floorTile(side),
    {
      label: "capacity used, worst window",
      value: formatRatio(total.utilization),
      note: total.fullest === null ? "no capacity set" : `of what was asked; fullest ${formatRatio(total.fullest)}`,
      tone: "plain",
    },
    refusalTile(total),
    {
      label: "first token, p99",
      value: formatMs(total.ttft_ms.p99),
      note: `median ${formatMs(total.ttft_ms.p50)}`,
      tone: "plain",
    },
    {
      label: "whole answer, p99",
      value: formatMs(total.e2e_ms.p99),
      note: `median ${formatMs(total.e2e_ms.p50)}`,
      tone: "plain",
    },
    concurrencyTile(side),
    gpuTile(side),
  ];
}

/** Who had the worst window for its floor, and how much of it that was; null without floors. */
function worstFloor(side: Side): { readonly name: string; readonly floor: number } | null {
  const floors = side.consumers.flatMap(({ name, floor }) => (floor === null ? [] : [{ name, floor }]));
  const [first, ...others] = floors;
  return first === undefined ? null : others.reduce((worst, next) => (next.floor < worst.floor ? next : worst), first);
}

/** How requests ended that were neither served nor refused: `3 failed`. */
function losses(figures: Figures): readonly string[] {
  const endings: readonly [number, string][] = [
    [figures.failed, "failed"],
    [figures.incomplete, "cut off"],
    [figures.gave_up, "out of patience"],
    [figures.aborted, "hung up on purpose"],
  ];
  return endings.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
}

/** Who hangs up on purpose is not meant to be served. */
function servedTile(total: Figures): Tile {
  const meant = total.sent - total.aborted;
  return {
    label: total.aborted > 0 ? "served of those who stayed" : "served of sent",
    value: formatRatio(meant === 0 ? null : total.served / meant),
    note: [`${formatCount(total.served)} of ${formatCount(meant)}`, ...losses(total)].join(", "),
    tone: "plain",
  };
}

function floorTile(side: Side): Tile {
  const floor = side.total.floor ?? worstFloor(side)?.floor ?? null;
  const worst = worstFloor(side);
  return {
    label: "floor kept, worst window",
    value: formatRatio(floor),
    note: worst === null ? "nobody has a floor" : `worst for ${worst.name}`,
    tone: toneOfFloor(floor),
  };
}

function refusalTile(total: Figures): Tile {
  const silent = total.without_retry_after;
  const told = silent === 0 ? "with retry-after" : `${formatCount(silent)} without retry-after`;
  const notes = [
    ...(total.refused_429 > 0 ? [`${formatCount(total.refused_429)} by 429, ${told}`] : []),
    ...(total.refused_503 > 0 ? [`${formatCount(total.refused_503)} by 503`] : []),
  ];
  return {
    label: "refused",
    value: formatCount(total.refused),
    note: total.refused === 0 ? "nobody was turned away" : notes.join(", "),
    tone: silent > 0 ? "warn" : "plain",
  };
}

function concurrencyTile(side: Side): Tile {
  const most = side.model?.max_concurrent ?? null;
  const over = most !== null && side.seats !== null && most > side.seats;
  return {
    label: "most at the model at once",
    value: formatCount(most),
    note: side.seats === null ? "no gate, no seats" : `of ${formatCount(side.seats)} seats`,
    tone: over ? "bad" : "plain",
  };
}

function gpuTile(side: Side): Tile {
  const wedge = wedgeText(side);
  if (wedge !== null) return { label: "GPU", value: "wedged", note: wedge.replace("GPU wedged ", ""), tone: "bad" };
  if ((side.model?.wedged ?? null) === null)
    return { label: "GPU", value: UNKNOWN, note: "nobody could see it", tone: "dim" };
  const busiest = Math.max(...side.phases.map(({ model }) => model?.gpu ?? 0));
  return {
    label: "GPU",
    value: "well",
    note: busiest > 0 ? `${formatRatio(busiest)} busy in its fullest phase` : "",
    tone: "good",
  };
}
