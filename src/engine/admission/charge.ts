import type { Admission as LetIn } from "../../core/shares/types.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Account } from "./account.ts";
import type { Grant } from "./capacity.ts";
import type { Charge, TokenUsage } from "./types.ts";
import type { Use } from "./use.ts";

/** A stream is charged in steps of so many tokens. */
const PROGRESS_STEP: Tokens = 16;

/** Corrects charges. Only the admission that made them. */
export interface ChargeOwner {
  /** The request uses so much more, or less, than it was charged. */
  correct(charge: RequestCharge, by: Use): void;
  /** The request is over. After `correct`. */
  release(charge: RequestCharge): void;
  /** It was settled already: changes nothing, and is counted. */
  settledAgain(): void;
}

/** How one request was let in. */
export interface ChargeFacts {
  readonly account: Account;
  /** What it was charged for. */
  readonly use: Use;
  /** Whether the stream is charged as it goes. */
  readonly live: boolean;
  readonly chargedAt: Ms;
  readonly waitedMs: Ms;
}

/** What one request was charged, and where. */
export class RequestCharge implements Charge, Grant {
  readonly account: Account;
  readonly share: string;
  readonly chargedAt: Ms;
  readonly waitedMs: Ms;
  requestsLetIn: LetIn = "room";
  tokensLetIn: LetIn = "room";
  readonly #owner: ChargeOwner;
  readonly #input: Tokens;
  readonly #live: boolean;
  #output: Tokens;
  #settled = false;

  constructor(owner: ChargeOwner, facts: ChargeFacts) {
    this.#owner = owner;
    this.account = facts.account;
    this.share = facts.account.share;
    this.chargedAt = facts.chargedAt;
    this.waitedMs = facts.waitedMs;
    this.#input = facts.use.input;
    this.#output = facts.use.output;
    this.#live = facts.live;
  }

  get member(): string {
    return this.account.member;
  }

  get settled(): boolean {
    return this.#settled;
  }

  progress(output: Tokens): void {
    if (output < this.#output + PROGRESS_STEP || !this.#live || this.#settled) return;
    const by = output - this.#output;
    this.#output = output;
    this.#owner.correct(this, { requests: 0, input: 0, output: by });
  }

  settle(usage: TokenUsage | "nothing"): boolean {
    if (this.#settled) {
      this.#owner.settledAgain();
      return false;
    }
    this.#settled = true;
    if (usage === "nothing") {
      this.#owner.correct(this, { requests: -1, input: -this.#input, output: -this.#output });
    } else {
      const { input, output } = usage;
      this.#owner.correct(this, { requests: 0, input: input - this.#input, output: output - this.#output });
    }
    this.#owner.release(this);
    return true;
  }
}
