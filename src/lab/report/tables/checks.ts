import type { Check } from "../types.ts";
import { cell, left, type Table } from "./table.ts";

/** Checks, those that failed first. */
export function checkTable(title: string, checks: readonly Check[]): Table {
  const ordered = [...checks.filter((check) => !check.ok), ...checks.filter((check) => check.ok)];
  return {
    title,
    columns: ["", "phase", "of", "metric", "must be", "was"].map(left),
    rows: ordered.map((check) => [
      check.ok ? cell("✓", "good") : cell("✗", "bad"),
      cell(check.phase ?? "whole run", check.phase === null ? "dim" : "plain"),
      cell(check.consumer ?? "all", check.consumer === null ? "dim" : "plain"),
      cell(check.metric),
      cell(check.aim),
      cell(check.seen ?? "not seen", check.ok ? "plain" : "bad"),
    ]),
  };
}
