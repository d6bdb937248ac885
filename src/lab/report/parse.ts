import { z } from "zod";

import type { Report } from "./types.ts";

export type ParsedReport =
  | { readonly kind: "parsed"; readonly report: Report }
  /** What is wrong, to stand after the file's name: `is not JSON: …`. */
  | { readonly kind: "invalid"; readonly rule: string };

const FORMAT = "headgate.load/1";
const MOST_PLACES = 5;

const number = z.number();
const maybe = z.number().nullable();
const counts = z.array(number);
const gaps = z.array(maybe);

const percentiles = z.object({
  count: number,
  mean: maybe,
  p50: maybe,
  p90: maybe,
  p95: maybe,
  p99: maybe,
  max: maybe,
});

const figures = z.object({
  intended: number,
  sent: number,
  served: number,
  refused: number,
  refused_by: z.record(z.string(), number),
  refused_429: number,
  refused_503: number,
  without_retry_after: number,
  incomplete: number,
  failed: number,
  failed_by: z.record(z.string(), number),
  aborted: number,
  gave_up: number,
  success: maybe,
  satisfied: maybe,
  served_per_minute: number,
  worst_window: maybe,
  fullest_window: maybe,
  floor: maybe,
  utilization: maybe,
  fullest: maybe,
  unevenness: maybe,
  ttft_ms: percentiles,
  itl_ms: percentiles,
  tpot_ms: percentiles,
  e2e_ms: percentiles,
  queue_ms: percentiles,
  tokens_in: number,
  tokens_out: number,
  tokens_in_per_s: number,
  tokens_out_per_s: number,
  goodput: maybe,
  prompt_tokens_per_s: maybe,
  generation_tokens_per_s: maybe,
});

const model = z
  .object({
    ttft_ms: maybe,
    itl_ms: maybe,
    running: maybe,
    max_concurrent: maybe,
    gpu: maybe,
    kv: maybe,
    wedged: z.boolean().nullable(),
  })
  .nullable();

const timeline = z
  .object({
    step_s: z.number().positive(),
    at_s: counts,
    consumers: z.array(
      z.object({ name: z.string(), sent: counts, served: counts, refused: counts, entitled: counts.nullable() }),
    ),
    ttft_p50_ms: gaps,
    ttft_p99_ms: gaps,
    e2e_p50_ms: gaps,
    e2e_p99_ms: gaps,
    tokens_in: counts,
    tokens_out: counts,
    model: z.object({ running: gaps, waiting: gaps, gpu: gaps, kv: gaps }).nullable(),
  })
  .refine(hasEqualColumns, { error: "columns of a timeline must be of equal length" });

const distribution = z
  .object({ ms: counts, fraction: counts })
  .refine(({ ms, fraction }) => ms.length === fraction.length, { error: "ms and fraction must be of equal length" });

const check = z.object({
  phase: z.string().nullable(),
  consumer: z.string().nullable(),
  metric: z.string(),
  aim: z.string(),
  seen: z.string().nullable(),
  ok: z.boolean(),
});

const side = z.object({
  name: z.string(),
  duration_s: number,
  capacity_per_minute: maybe,
  seats: maybe,
  total: figures,
  model,
  cut_short: z.string().nullable(),
  phases: z.array(figures.extend({ name: z.string(), from_s: number, to_s: number, model })),
  consumers: z.array(
    figures.extend({ name: z.string(), reservation: maybe, floor_per_minute: maybe, phases: z.array(figures) }),
  ),
  timeline,
  distributions: z.object({ ttft: distribution, itl: distribution, e2e: distribution }),
  checks: z.array(check),
});

const REPORT: z.ZodType<Report> = z.object({
  format: z.literal(FORMAT),
  headgate: z.string(),
  started: z.string(),
  scenario: z.object({
    name: z.string(),
    description: z.string(),
    mode: z.enum(["virtual", "http"]),
    target: z.string(),
    seed: number,
    speed: number,
    window_s: number,
    slo: z.object({ ttft_ms: maybe, tpot_ms: maybe, e2e_ms: maybe }),
  }),
  validity: z.object({ valid: z.boolean(), reasons: z.array(z.string()) }),
  generator: z.object({ send_lag_ms: percentiles, loop_lag_ms: percentiles }),
  sides: z.array(side).min(1),
});

/** Reads a `report.json`. A report of another version of the format is told from what is no report at all. */
export function parseReport(text: string): ParsedReport {
  const tree = readJson(text);
  if (tree.kind === "broken") return invalid(`is not JSON: ${tree.reason}`);
  const head = z.object({ format: z.string() }).safeParse(tree.value);
  if (!head.success) return invalid("is no report of headgate load: it has no format");
  const { format } = head.data;
  if (format !== FORMAT) {
    return invalid(
      format.startsWith("headgate.load/")
        ? `has the format ${format}, and this version of headgate reads ${FORMAT}: run the scenario again, or use the version that wrote it`
        : `is no report of headgate load: its format is ${JSON.stringify(format)}`,
    );
  }
  const parsed = REPORT.safeParse(tree.value);
  if (parsed.success) return { kind: "parsed", report: parsed.data };
  const places = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  const more = places.length > MOST_PLACES ? `; and ${places.length - MOST_PLACES} more` : "";
  return invalid(`is no whole report: ${places.slice(0, MOST_PLACES).join("; ")}${more}`);
}

type Tree = { readonly kind: "tree"; readonly value: unknown } | { readonly kind: "broken"; readonly reason: string };

function readJson(text: string): Tree {
  try {
    return { kind: "tree", value: JSON.parse(text) };
  } catch (cause) {
    return { kind: "broken", reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

function invalid(rule: string): ParsedReport {
  return { kind: "invalid", rule };
}

function hasEqualColumns({
  at_s: at,
  consumers,
  model: state,
  ...columns
}: Report["sides"][number]["timeline"]): boolean {
  const lengths = [
    ...consumers.flatMap(({ sent, served, refused, entitled }) => [
      sent,
      served,
      refused,
      ...(entitled === null ? [] : [entitled]),
    ]),
    ...(state === null ? [] : Object.values(state)),
    ...Object.values(columns).filter((column) => typeof column !== "number"),
  ].map((column) => column.length);
  return lengths.every((length) => length === at.length);
}
