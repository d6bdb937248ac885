/**
 * Looks for stop strings in text that arrives in pieces. Text that might be the start of one is held back until it is
 * clear that it is not.
 *
 * @param {readonly string[]} words
 */
export function createStopFinder(words) {
  let held = "";
  return {
    /**
     * @param {string} piece
     * @returns {{ text: string, word: string | undefined }} Text to pass on, and the stop string that ended it.
     */
    push(piece) {
      held += piece;
      const first = earliest(held, words);
      if (first !== undefined) return { text: held.slice(0, first.at), word: first.word };
      const keep = Math.max(0, ...words.map((word) => overlap(held, word)));
      const text = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return { text, word: undefined };
    },
    /** What is still held back when the text is over. */
    rest: () => held,
  };
}

/**
 * @param {string} text
 * @param {readonly string[]} words
 */
function earliest(text, words) {
  const found = words.map((word) => ({ word, at: text.indexOf(word) })).filter(({ at }) => at >= 0);
  return found.sort((a, b) => a.at - b.at)[0];
}

/** How many of the last characters of `text` start `word`. @param {string} text @param {string} word */
function overlap(text, word) {
  for (let length = Math.min(text.length, word.length - 1); length > 0; length--) {
    if (text.endsWith(word.slice(0, length))) return length;
  }
  return 0;
}
