import { readDuration, readNumber } from "./durations.ts";
import type { Dimension, Headers } from "./types.ts";
import { namedWindow } from "./windows.ts";

const NAME =
  /^x-ratelimit-(?<field>limit|remaining|reset)-(?<id>(?:project-)?(?<unit>requests|tokens)(?:-(?<window>second|minute|hour|day))?)$/;

/**
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` of OpenAI and those who took it over: Azure (no reset, its
 * remaining requests are of ten seconds), Cerebras (`-requests-day`, plain seconds), Groq, and `-project-tokens`. A reset
 * is the time until the limit is full again.
 */
export function readNamedLimits(headers: Headers): readonly Dimension[] {
  const found = new Map<string, Dimension>();
  for (const name of Object.keys(headers)) {
    const parts = NAME.exec(name)?.groups;
    const { id = "", unit, window } = parts ?? {};
    if (parts === undefined || found.has(id)) continue;
    const limit = readNumber(headers[`x-ratelimit-limit-${id}`]);
    const remaining = readNumber(headers[`x-ratelimit-remaining-${id}`]);
    const resetMs = readDuration(headers[`x-ratelimit-reset-${id}`]);
    found.set(id, {
      id,
      unit: unit === "tokens" ? "tokens" : "requests",
      limit,
      remaining,
      resetMs,
      refill: "gradual",
      windowMs: namedWindow(window),
    });
  }
  return [...found.values()];
}
