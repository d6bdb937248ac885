import type { Ms } from "../../core/units.ts";
import type { Limit } from "../types.ts";

/** A limit, or the rule that the text breaks. */
export type LimitReading =
  | { readonly kind: "read"; readonly limit: Limit }
  | { readonly kind: "refused"; readonly rule: string; readonly hint: string };

const FORM =
  /^(?<amount>\d+(?:\.\d+)?)\s*(?<scale>[kKM]?)\s*(?<unit>req|requests?|tok|tokens?)?\s*\/\s*(?<count>\d+(?:\.\d+)?)?\s*(?<period>[a-z]+)(?:[\s,]+burst[\s=]*(?<burst>\d+))?$/;

const SCALES: Readonly<Record<string, number>> = { "": 1, k: 1_000, K: 1_000, M: 1_000_000 };

const PERIODS: ReadonlyMap<string, Ms> = new Map(
  Object.entries({
    ms: 1,
    s: 1_000,
    sec: 1_000,
    second: 1_000,
    m: 60_000,
    min: 60_000,
    minute: 60_000,
    h: 3_600_000,
    hour: 3_600_000,
    d: 86_400_000,
    day: 86_400_000,
  }),
);

const HINT = "like 2/s, 500/m, 3/10s, 10k/h, 200000tok/m or 60/m burst 1";

/**
 * Reads a limit: an amount (`10k`, `1M`) of requests or, with `tok`, of tokens, and a window (`s`, `m`, `h`, `d`, or a
 * number of them, as in `10s`). ` burst N` tells what the server lets through at once.
 */
export function parseLimit(text: string): LimitReading {
  const parts = FORM.exec(text.trim())?.groups;
  if (parts === undefined) return refused("a limit must be an amount and a window");
  const { amount = "", scale = "", unit = "", count = "", period = "", burst } = parts;
  const periodMs = PERIODS.get(period);
  if (periodMs === undefined) return refused(`a window must be in ms, s, m, h or d, not ${JSON.stringify(period)}`);
  const exact = Number(amount) * (SCALES[scale] ?? 1);
  const total = Math.round(exact);
  if (Math.abs(exact - total) > 1e-6)
    return refused(`a limit must be a whole number${wholeHint(exact, count, period)}`);
  if (!Number.isSafeInteger(total) || total < 1) return refused("a limit must be a whole number of at least 1");
  const windowMs = Number(count || "1") * periodMs;
  if (!(windowMs >= 1) || windowMs > 366 * 86_400_000) return refused("a window must be from 1 ms to a year long");
  if (burst !== undefined && Number(burst) < 1) return refused("a burst must be at least 1");
  const limit: Limit = {
    name: `${amount}${scale}${unit}/${count}${period}${burst === undefined ? "" : ` burst ${burst}`}`,
    unit: unit.startsWith("tok") ? "tokens" : "requests",
    amount: total,
    windowMs,
    burst: burst === undefined ? undefined : Number(burst),
  };
  return { kind: "read", limit };
}

/** `1.5/s` is `3/2s`. */
function wholeHint(amount: number, count: string, period: string): string {
  for (let times = 2; times <= 100; times++) {
    const whole = Math.round(amount * times);
    if (whole >= 1 && Math.abs(amount * times - whole) < 1e-6)
      return `: ${amount}/${count}${period} is ${whole}/${Number(count || "1") * times}${period}`;
  }
  return "";
}

function refused(rule: string): LimitReading {
  return { kind: "refused", rule, hint: HINT };
}
