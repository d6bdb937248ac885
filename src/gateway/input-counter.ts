import { isRecord } from "../core/json.ts";
import type { TokenizerName } from "../config/types.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Ms, Tokens } from "../core/units.ts";
import { fetchSmall } from "./backend/fetch-small.ts";
import type { Fleet } from "./backend/fleet.ts";
import { type Ask, BackendCounter } from "./usage/backend-count.ts";
import { countTokens } from "./usage/tokenizer.ts";

/** By how much an estimate may be off: a limit that is within this factor of it is too close to tell. */
const TOO_CLOSE = 1.5;

const BACKEND_TIMEOUT_MS: Ms = 5_000;

/** Counts the input of a request exactly, where an estimate cannot tell whether it is within a limit. */
export class InputCounter {
  readonly #tokenizer: TokenizerName;
  readonly #backend: BackendCounter;

  constructor(tokenizer: TokenizerName, fleet: Fleet, clock: Clock) {
    this.#tokenizer = tokenizer;
    this.#backend = new BackendCounter(askOf(fleet, clock));
  }

  /**
   * Undefined where the estimate decides. The promise resolves with undefined where nobody can count, and rejects only for
   * what is broken.
   */
  count(estimate: Tokens, limit: Tokens, body: Buffer): Promise<Tokens | undefined> | undefined {
    if (estimate > limit * TOO_CLOSE || estimate < limit / TOO_CLOSE) return undefined;
    const json: unknown = JSON.parse(body.toString("utf8"));
    if (!isRecord(json)) return undefined;
    return this.#tokenizer === "backend" ? this.#backend.count(json) : countTokens(json, this.#tokenizer);
  }
}

/** Asks whichever backend is the least loaded. A question that fails is one that it cannot answer. */
function askOf(fleet: Fleet, clock: Clock): Ask {
  return (path, json) =>
    new Promise((resolve) => {
      const backend = fleet.pick(false);
      if (backend === undefined) return resolve(undefined);
      const body = Buffer.from(JSON.stringify(json));
      fetchSmall(backend, { path, clock, timeoutMs: BACKEND_TIMEOUT_MS, body }, (answer) => {
        resolve(answer.kind === "answer" && answer.status === 200 ? parsed(answer.body) : undefined);
      });
    });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
