/** How many consumers the gate knows that has some. */
export const CONSUMERS = 60;

/** The key of one of them, as long as those that `headgate keys new` makes. Everybody sends one; only that gate looks at it. */
export function keyOf(index: number): string {
  return `hg_live_${String(index % CONSUMERS).padStart(33, "0")}_bench0`;
}
