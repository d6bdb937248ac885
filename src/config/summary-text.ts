import {
  type CapacitySummary,
  type DeploymentSummary,
  type ShareSummary,
  type Summary,
  summarizeCapacity,
} from "./summary.ts";
import type { CapacityConfig } from "./types.ts";
import { formatCount, formatPercent } from "./units.ts";

/** `1k requests per minute, threshold 80%`. */
export function describeCapacity(capacity: CapacityConfig): string {
  return formatCapacity(summarizeCapacity(capacity));
}

function formatCapacity({ requests_per_minute, tokens_per_minute, utilization_threshold }: CapacitySummary): string {
  const rates = [
    ...(requests_per_minute === null ? [] : [`${formatCount(requests_per_minute)} requests per minute`]),
    ...(tokens_per_minute === null ? [] : [`${formatCount(tokens_per_minute)} tokens per minute`]),
  ];
  return `${rates.join(" and ")}, threshold ${formatPercent(utilization_threshold)}`;
}

/** The summary as text; no line end at its end. */
export function formatSummary({ consumers, keys, anonymous, deployments }: Summary): string {
  const kinds = Object.entries(consumers).filter(([, count]) => count > 0);
  const total = kinds.reduce((sum, [, count]) => sum + count, 0);
  const people =
    total === 0
      ? "no consumers: the gate is open, and each remote address is a member of the pool"
      : `${plural(total, "consumer")} (${kinds.map(([kind, count]) => plural(count, kind)).join(", ")}) with ${plural(keys, "key")}; ` +
        (anonymous === "allow" ? "others share the pool" : "others are refused");
  return [people, ...deployments.map(formatDeployment)].join("\n\n");
}

function formatDeployment({ name, capacity, shares, limits, exceptions }: DeploymentSummary): string {
  const policy = Object.entries(limits).map(([limit, value]) => `${limit} ${formatCount(value)}`);
  return [
    `${name}: ${capacity === null ? "no capacity" : formatCapacity(capacity)}`,
    ...formatShares(shares),
    ...(policy.length > 0 ? [`  limits      ${policy.join(", ")}`] : []),
    ...(exceptions.length > 0 ? [`  exceptions  ${exceptions.join(", ")}`] : []),
  ].join("\n");
}

/** A column that has nothing to say about the first share has nothing to say at all. */
type Column = readonly [head: string, cell: (share: ShareSummary) => string | undefined];

function formatShares(shares: readonly ShareSummary[]): readonly string[] {
  const columns: readonly Column[] = [
    ["part", ({ part }) => formatPercent(part)],
    ["requests/min", ({ requests_per_minute: rate }) => rate?.toLocaleString("en-US")],
    ["tokens/min", ({ tokens_per_minute: rate }) => rate?.toLocaleString("en-US")],
  ];
  const [first] = shares;
  if (first === undefined) return [];
  const shown = columns.filter(([, cell]) => cell(first) !== undefined);
  const widest = Math.max("share".length, ...shares.map(({ name }) => name.length));
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(widest)}${cells.map((cell) => `  ${cell.padStart(12)}`).join("")}`;
  return [
    line(
      "share",
      shown.map(([head]) => head),
    ),
    ...shares.map((share) =>
      line(
        share.name,
        shown.map(([, cell]) => cell(share) ?? ""),
      ),
    ),
  ];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
