import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../../../contracts/clock.ts";
import { sendJson } from "../http/errors.ts";
import { Arrivals } from "./arrivals.ts";
import { createChecker } from "./checkers.ts";
import type { RateChecker, ServerLimit } from "./types.ts";

/** A rate limit in front of the model. */
export interface RateLimitOptions extends ServerLimit {
  /** As the refusal names it, like `2 per 1 second`. */
  readonly text: string;
  /** Whether a refusal says when to come back. slowapi does not unless it is told to. */
  readonly retryAfter: boolean;
}

/** `rate_limit` of `GET /sim/stats`. */
export interface RateLimitStats {
  readonly refused: number;
  /** The most arrivals in any window, refused ones too, by the server's clock. Above `limit`: the client broke it. */
  readonly worst_in_any_window: number;
  readonly limit: number;
  readonly window_ms: number;
}

/** Refuses requests as slowapi does, and counts by itself what clients made of the limit. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #clock: Clock;
  readonly #arrivals: Arrivals;
  #checker: RateChecker;
  #refused = 0;

  constructor(options: RateLimitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#checker = createChecker(options);
    this.#arrivals = new Arrivals(options.windowMs);
  }

  /** Whether the request may go on; if not, it has been answered. To be called when its headers are there. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const now = this.#clock.now();
    this.#arrivals.add(now);
    if (this.#checker.admit(now)) return true;
    this.#refused += 1;
    request.resume();
    if (this.#options.retryAfter) {
      // Rounded as slowapi rounds it.
      response.setHeader("retry-after", String(Math.floor(1 + this.#checker.retryAfterMs(now) / 1_000)));
    }
    sendJson(response, 429, { error: `Rate limit exceeded: ${this.#options.text}` });
    return false;
  }

  stats(): RateLimitStats {
    const { amount, windowMs } = this.#options;
    return {
      refused: this.#refused,
      worst_in_any_window: this.#arrivals.most,
      limit: amount,
      window_ms: windowMs,
    };
  }

  /** As after a restart. */
  reset(): void {
    this.#checker = createChecker(this.#options);
    this.#arrivals.clear();
    this.#refused = 0;
  }
}
