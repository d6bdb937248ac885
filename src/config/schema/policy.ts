import { z } from "zod";
import type { LimitName, Limits } from "../../core/policy/limits.ts";
import { choice, count, duration, percent, toggle } from "../fields/field.ts";
import type { AdmissionMode, CapacityConfig } from "../types.ts";

// What a deployment can sustain, and who gets how much of it.

const HOUR = 3_600_000;
const perMinute = { min: 1, max: 1e9 };

/** `capacity`: at least one of the two rates, which is a matter of the checks. */
export const capacity: z.ZodType<CapacityConfig> = z
  .strictObject({
    requests_per_minute: count(perMinute).optional().describe("Requests per minute that the backends can sustain."),
    tokens_per_minute: count(perMinute)
      .optional()
      .describe(
        "Tokens per minute that the backends can sustain, input and output together. With both rates, a request needs room in both.",
      ),
    utilization_threshold: percent()
      .prefault("80%")
      .describe("The part of capacity below which nobody is restricted. Above it, everybody is held to their share."),
    burst: duration({ min: 0, max: HOUR })
      .prefault("10s")
      .describe(
        "What a share that was idle may take at once, as a time at its own rate; it is never less than four requests. With `0s`, and `meter: 0s`, the backends hardly ever see more than capacity: for an upstream quota that is strict.",
      ),
    meter: duration({ min: 0, max: HOUR })
      .prefault("30s")
      .describe(
        "How long demand has to be above the threshold before shares are enforced, as a time at the threshold. `60s` reads capacity as a value per minute: two minutes at 1.2 × capacity pass. `0s` enforces at once.",
      ),
  })
  .transform((from) => ({
    requestsPerMinute: from.requests_per_minute,
    tokensPerMinute: from.tokens_per_minute,
    utilizationThreshold: from.utilization_threshold,
    burstSeconds: from.burst / 1000,
    meterSeconds: from.meter / 1000,
  }));

function ceiling(meaning: string): z.ZodType<number | undefined> {
  return count({ min: 0, max: 1e15 }).optional().describe(meaning);
}

const ceilings = {
  requests_per_second: ceiling("Requests per second. `0` blocks, as it does in every limit."),
  requests_per_minute: ceiling("Requests per minute."),
  requests_per_hour: ceiling("Requests per hour."),
  requests_per_day: ceiling("Requests per day."),
  tokens_per_second: ceiling("Tokens per second, input and output together."),
  tokens_per_minute: ceiling("Tokens per minute, input and output together."),
  tokens_per_hour: ceiling("Tokens per hour, input and output together."),
  tokens_per_day: ceiling("Tokens per day, input and output together."),
  input_tokens_per_second: ceiling("Input tokens per second."),
  input_tokens_per_minute: ceiling("Input tokens per minute."),
  input_tokens_per_hour: ceiling("Input tokens per hour."),
  input_tokens_per_day: ceiling("Input tokens per day."),
  output_tokens_per_second: ceiling("Output tokens per second."),
  output_tokens_per_minute: ceiling("Output tokens per minute."),
  output_tokens_per_hour: ceiling("Output tokens per hour."),
  output_tokens_per_day: ceiling("Output tokens per day."),
  concurrent_requests: ceiling("Requests that one consumer may have open at the same time."),
  input_tokens: ceiling("Input tokens of one request. A longer one is refused with 400, and no retry helps."),
} satisfies Record<LimitName, z.ZodType<number | undefined>>;

/** `limits`, and each of the `exceptions`. */
export const limits: z.ZodType<Limits> = z
  .strictObject({
    ...ceilings,
    strict: toggle()
      .optional()
      .describe(
        "With `true`, the rates hold in every window of their length: an exact log is kept, and a limit of requests can be 10,000 at the most. Otherwise a consumer that was idle may take a burst on top. Left out, it is `false`; in an exception, what the next less specific row says.",
      ),
  })
  .transform(({ strict, ...values }) => ({ values: withoutGaps(values), strict }));

function withoutGaps(values: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A mapping from the names of consumers. Whether there are such consumers is a matter of the checks. */
export function byName<T>(value: z.ZodType<T>): z.ZodType<ReadonlyMap<string, T>> {
  return z.record(z.string(), value).transform((from) => new Map(Object.entries(from)));
}

/** Each of the `reservations`. */
export const reservation: z.ZodType<number> = percent().describe(
  "The part of capacity that this consumer or group is guaranteed while it asks. A group's part is divided fairly among its members.",
);

/** `mode`, and each of the `modes`. */
export const mode: z.ZodType<AdmissionMode> = choice("reject", "queue");
