/**
 * Whom to tell when a signal is aborted. One listener per signal, however many wait: Node warns of a leak where a signal has
 * more than a few.
 */
export class Aborts {
  readonly #signals = new Map<AbortSignal, Watch>();

  /** Calls `leave` once the signal is aborted. Returns what ends that. */
  add(signal: AbortSignal, leave: () => void): () => void {
    const watch = this.#signals.get(signal) ?? this.#watch(signal);
    watch.leaves.add(leave);
    return () => {
      watch.leaves.delete(leave);
      if (watch.leaves.size === 0) this.#forget(signal, watch);
    };
  }

  #watch(signal: AbortSignal): Watch {
    const watch: Watch = {
      leaves: new Set(),
      hear: () => {
        this.#forget(signal, watch);
        for (const leave of watch.leaves) leave();
      },
    };
    this.#signals.set(signal, watch);
    signal.addEventListener("abort", watch.hear, { once: true });
    return watch;
  }

  #forget(signal: AbortSignal, { hear }: Watch): void {
    signal.removeEventListener("abort", hear);
    this.#signals.delete(signal);
  }
}

interface Watch {
  readonly leaves: Set<() => void>;
  readonly hear: () => void;
}
