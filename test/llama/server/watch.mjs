/**
 * Tells those who wait for the counters to reach certain values.
 *
 * @param {() => Record<string, number>} read
 */
export function createWatch(read) {
  /** @type {Set<() => void>} */
  const checks = new Set();
  return {
    /** Call after every change. */
    changed() {
      for (const check of checks) check();
    },

    /**
     * @param {Record<string, number>} wanted
     * @param {AbortSignal} signal Stops the waiting.
     */
    when(wanted, signal) {
      return new Promise((/** @type {(value: void) => void} */ resolve) => {
        const check = () => {
          const now = read();
          if (!Object.entries(wanted).every(([name, value]) => now[name] === value)) return;
          checks.delete(check);
          resolve();
        };
        signal.addEventListener("abort", () => checks.delete(check));
        checks.add(check);
        check();
      });
    },
  };
}
