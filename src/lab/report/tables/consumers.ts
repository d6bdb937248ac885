import { formatCount, formatRatio } from "../numbers.ts";
import type { Side } from "../types.ts";
import { figureTable, type FigureKey } from "./figures.ts";
import { cell, type Table } from "./table.ts";

const MOST_SHOWN = 8;

/** Each consumer over the whole run, with what it is guaranteed. */
export function consumerTable(side: Side, keys: readonly FigureKey[]): Table {
  const guaranteed = side.consumers.some((consumer) => guaranteeOf(side, consumer.name) !== "");
  const rows = side.consumers.map((consumer) => ({
    labels: [cell(consumer.name), ...(guaranteed ? [cell(guaranteeOf(side, consumer.name), "dim")] : [])],
    figures: consumer,
  }));
  return figureTable("Consumers", ["consumer", ...(guaranteed ? ["guaranteed"] : [])], rows, keys);
}

/** What a consumer is guaranteed, in words: `30%, 300/min`, `pool, 200/min together`; "" without a capacity. */
export function guaranteeOf(side: Side, name: string): string {
  const consumer = side.consumers.find((other) => other.name === name);
  if (consumer === undefined || consumer.floor_per_minute === null) return "";
  const rate = `${formatCount(consumer.floor_per_minute)}/min`;
  if (consumer.reservation !== null) return `${formatRatio(consumer.reservation)}, ${rate}`;
  const members = side.consumers.filter(({ reservation }) => reservation === null).length;
  return members > 1 ? `pool, ${rate} together` : `pool, ${rate}`;
}

/** Consumers that get a chart of their own, and those that share one. Indices into the side's timeline. */
export interface Shown {
  readonly alone: readonly number[];
  readonly together: readonly number[];
}

/** The most served have a chart each, in their own order; the others share one. `sides` have the same consumers. */
export function shownConsumers(sides: readonly Side[]): Shown {
  const first = sides[0]?.timeline.consumers ?? [];
  const served = (index: number): number =>
    Math.max(...sides.map((side) => sum(side.timeline.consumers[index]?.served ?? [])));
  const indices = first.map((_, index) => index);
  if (indices.length <= MOST_SHOWN + 1) return { alone: indices, together: [] };
  const biggest = new Set(indices.toSorted((a, b) => served(b) - served(a)).slice(0, MOST_SHOWN));
  return {
    alone: indices.filter((index) => biggest.has(index)),
    together: indices.filter((index) => !biggest.has(index)),
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
