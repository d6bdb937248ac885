import { type Outcome, OUTCOMES } from "../core/outcome.ts";

/** How many requests ended in which way. Plain numbers, so that counting costs nothing. */
export class OutcomeCounts {
  readonly #counts = new Map<Outcome, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(outcome: Outcome): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    this.#total += 1;
  }

  of(outcome: Outcome): number {
    return this.#counts.get(outcome) ?? 0;
  }

  /** Those that happened, in the order of the outcome table. */
  toJSON(): Record<string, number> {
    const seen: Record<string, number> = {};
    for (const outcome of Object.keys(OUTCOMES).filter(isOutcome)) {
      const count = this.of(outcome);
      if (count > 0) seen[outcome] = count;
    }
    return seen;
  }
}

function isOutcome(name: string): name is Outcome {
  return name in OUTCOMES;
}
