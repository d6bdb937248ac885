/** What somebody wants, in units per minute, and how much it weighs beside the others. */
interface Want {
  readonly demand: number;
  readonly weight: number;
}

export interface GroupWant {
  readonly weight: number;
  readonly demands: readonly number[];
}

/** Exact weighted max–min: nobody gets more than it wants, and whoever gets less gets as much per weight as anybody. */
function waterFill(capacity: number, wants: readonly Want[]): number[] {
  const given = wants.map(() => 0);
  let open = wants.map((want, index) => ({ ...want, index }));
  let left = capacity;
  while (open.length > 0) {
    const level = left / open.reduce((sum, { weight }) => sum + weight, 0);
    const sated = open.filter(({ demand, weight }) => demand <= level * weight);
    const settled = sated.length > 0 ? sated : open;
    for (const { index, demand, weight } of settled) {
      given[index] = sated.length > 0 ? demand : level * weight;
      left -= given[index];
    }
    open = open.filter((want) => !settled.includes(want));
  }
  return given;
}

/** The same in two levels: between shares by weight, inside each to all members alike. */
export function idealShares(capacity: number, groups: readonly GroupWant[]): number[][] {
  const wants = groups.map(({ weight, demands }) => ({ weight, demand: demands.reduce((a, b) => a + b, 0) }));
  return waterFill(capacity, wants).map((part, index) =>
    waterFill(
      part,
      (groups[index]?.demands ?? []).map((demand) => ({ demand, weight: 1 })),
    ),
  );
}
