import type { Ms, Tokens } from "../../core/units.ts";
import type { Cost, Permit } from "../types.ts";
import type { Send } from "./open-sends.ts";
import { isAmount } from "./options.ts";

/** What the limiter knows of a request that went out. */
export interface SendFacts {
  /** When it was given. A request that was written late counts from later: see `send`. */
  readonly at: Ms;
  readonly waitedMs: Ms;
  readonly cost: Cost;
  readonly send: Send;
  /** What had gone out in all then, this one included. */
  readonly sent: Cost;
}

/** A permit as the limiter hands it out. */
export class SentPermit implements Permit {
  readonly facts: SendFacts;
  #settle: ((facts: SendFacts, tokens: Tokens | undefined) => void) | undefined;

  constructor(facts: SendFacts, settle: (facts: SendFacts, tokens: Tokens | undefined) => void) {
    this.facts = facts;
    this.#settle = settle;
  }

  get at(): Ms {
    return this.facts.at;
  }

  get waitedMs(): Ms {
    return this.facts.waitedMs;
  }

  settle(tokens?: Tokens): void {
    const settle = this.#settle;
    this.#settle = undefined;
    const isBroken = tokens !== undefined && !isAmount(tokens);
    settle?.(this.facts, isBroken ? undefined : tokens);
    if (isBroken) throw new RangeError(`tokens must be a number from 0, got ${String(tokens)}`);
  }

  [Symbol.dispose](): void {
    this.settle();
  }
}
