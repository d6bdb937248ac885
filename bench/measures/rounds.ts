/** Takes each in turn, so many times, every other round backwards: what drifts, drifts for all of them. */
export async function inRounds<Item extends { readonly name: string }, Result>(
  items: readonly Item[],
  rounds: number,
  measure: (item: Item) => Promise<Result>,
): Promise<ReadonlyMap<Item["name"], readonly Result[]>> {
  const results = new Map<Item["name"], Result[]>(items.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const item of round % 2 === 0 ? items : items.toReversed()) {
      results.get(item.name)?.push(await measure(item));
    }
  }
  return results;
}
