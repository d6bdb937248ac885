import { type Limit, RateLimiter, type RateLimiterOptions } from "../../../src/batch/index.ts";
import type { Ms } from "../../../src/core/units.ts";
import { SteppingClock } from "./stepping-clock.ts";

/** A limiter on a clock of its own. */
export interface Bed {
  readonly clock: SteppingClock;
  readonly limiter: RateLimiter;
  /** What the limiter told, in order. */
  readonly heard: string[];
}

export function bed(options: RateLimiterOptions, clock = new SteppingClock()): Bed {
  const heard: string[] = [];
  const limiter = new RateLimiter({
    random: () => 0.5,
    listener: {
      paused: ({ reason, until }) => heard.push(`paused ${reason} until ${until}`),
      resumed: () => heard.push("resumed"),
      guardChanged: (ms) => heard.push(`guard ${Math.round(ms)}`),
      learned: ({ name }) => heard.push(`learned ${name}`),
    },
    clock,
    ...options,
  });
  return { clock, limiter, heard };
}

/** When so many requests go out that are asked for now. */
export async function sendTimes({ clock, limiter }: Bed, count: number): Promise<readonly Ms[]> {
  const permits = Promise.all(Array.from({ length: count }, () => limiter.acquire()));
  await clock.play();
  return (await permits).map((permit) => {
    permit.settle();
    return permit.at;
  });
}

export function limitOf(amount: number, windowMs: Ms, unit: Limit["unit"] = "requests"): Limit {
  return { name: `${amount} of ${unit}`, unit, amount, windowMs, burst: undefined };
}
