import type { Ms } from "../../core/units.ts";

/** Failures that an address may have at once, and how long one takes to be forgiven. */
const BURST = 10;
const FORGIVEN_AFTER_MS: Ms = 6_000;
const TOLERANCE_MS: Ms = (BURST - 1) * FORGIVEN_AFTER_MS;

/** Addresses in one generation; two are remembered. */
const GENERATION = 5_000;

/**
 * How often each address has failed to say who it is.
 *
 * The law: an address may fail 10 times at once, and then once every 6 seconds, for as long as it is remembered. A failure
 * beyond that is told how long to wait and counts for nothing, so that one at that time is within the law again. The last
 * 5,000 addresses to fail are remembered, and never more than 10,000: when 5,000 have failed since the last time, those that
 * have not are forgotten together, which costs nothing.
 *
 * It bounds what strangers can cause, such as lines in a log. It keeps nobody out who has a good key: many people share
 * one address behind a NAT or a proxy, and one of them must not lock out the others. What keeps guessers out is the length of
 * a key. Source: the generic cell rate algorithm, ITU-T I.371 annex A.
 */
export class Failures {
  /** When all failures of an address are forgiven: those that have failed lately, and those of the generation before. */
  #young = new Map<string, Ms>();
  #old: ReadonlyMap<string, Ms> = new Map();

  /** Notes a failure. 0: within the law. Else how long until a failure would be. */
  note(address: string, now: Ms): Ms {
    const forgivenAt = Math.max(this.#young.get(address) ?? this.#old.get(address) ?? now, now);
    const waitMs = forgivenAt - TOLERANCE_MS - now;
    this.#young.set(address, waitMs > 0 ? forgivenAt : forgivenAt + FORGIVEN_AFTER_MS);
    if (this.#young.size === GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    return Math.max(0, waitMs);
  }

  /** How many addresses are remembered at the most; one that stands in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
