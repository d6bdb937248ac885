/** Longer words are not worth the square of their length. */
const LONGEST = 64;

/** The candidate that `word` most likely was meant to be, or nothing where none is close. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = plain(word);
  if (typed === "" || typed.length > LONGEST) return undefined;
  let best: string | undefined;
  // Two letters of five may be wrong: more, and anything would look like anything.
  let bound = Math.max(1, Math.floor(typed.length * 0.4)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed, plain(candidate));
    if (distance < bound) [best, bound] = [candidate, distance];
  }
  return best;
}

/** Writing `maxConcurrent` or `max-concurrent` for `max_concurrent` is no distance at all. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, "");
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn `from` into `to`. */
export function editDistance(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substituted = at(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          substituted,
          swapped ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
