/**
 * Continuous batching, as llama-server's loop does it: each step advances every running sequence by one batch of prompt
 * or one token, all in one decode call. Left to itself, llama.cpp's binding decodes a sequence that comes late by itself,
 * between the calls of the others, for as long as both run.
 *
 * @typedef {<T>(advance: () => Promise<T>) => Promise<T>} Step Calls `advance` together with those of the others.
 */

/** @returns {Step} */
export function createSteps() {
  /** @type {(() => void)[]} */
  let ready = [];
  let moving = 0;
  let scheduled = false;

  const start = () => {
    scheduled = false;
    const batch = ready;
    ready = [];
    moving = batch.length;
    for (const go of batch) go();
  };
  const schedule = () => {
    if (scheduled || moving > 0 || ready.length === 0) return;
    scheduled = true;
    // By then everyone who has just moved has sent their token and is ready again.
    setImmediate(start);
  };

  return async (advance) => {
    await new Promise((/** @type {(value: void) => void} */ go) => {
      ready.push(go);
      schedule();
    });
    try {
      return await advance();
    } finally {
      moving--;
      schedule();
    }
  };
}

/**
 * Counts the decode calls and the sequences in them. The binding asks this before every call what it should hold; steps
 * are small enough for all of it.
 *
 * @param {{ decodes: number, decoded_sequences: number, max_sequences_per_decode: number }} counters
 * @returns {import("node-llama-cpp").CustomBatchingPrioritizationStrategy}
 */
export function countDecodes(counters) {
  return ({ items }) => {
    counters.decodes++;
    counters.decoded_sequences += items.length;
    counters.max_sequences_per_decode = Math.max(counters.max_sequences_per_decode, items.length);
    return items.map((item) => ({ item, processAmount: item.tokens.length }));
  };
}
