/** How an inference request ended, as the server saw it. */
export type VisitEnding = "completed" | "aborted" | "failed" | "faulted";

/** Counts inference requests from their headers to the end of their response or the close of their socket. */
export class Visits {
  #concurrent = 0;
  #maxConcurrentSeen = 0;
  #peak = 0;
  #endings: Record<VisitEnding, number> = noEndings();

  get concurrent(): number {
    return this.#concurrent;
  }

  get maxConcurrentSeen(): number {
    return this.#maxConcurrentSeen;
  }

  get endings(): Readonly<Record<VisitEnding, number>> {
    return { ...this.#endings };
  }

  open(): void {
    this.#concurrent += 1;
    this.#maxConcurrentSeen = Math.max(this.#maxConcurrentSeen, this.#concurrent);
    this.#peak = Math.max(this.#peak, this.#concurrent);
  }

  /** The most at once since it was taken last. */
  takePeak(): number {
    const peak = this.#peak;
    this.#peak = this.#concurrent;
    return peak;
  }

  close(ending: VisitEnding): void {
    this.#concurrent -= 1;
    this.#endings[ending] += 1;
  }

  /** Forgets what has been; requests that are open stay counted. */
  clear(): void {
    this.#maxConcurrentSeen = this.#concurrent;
    this.#peak = this.#concurrent;
    this.#endings = noEndings();
  }
}

function noEndings(): Record<VisitEnding, number> {
  return { completed: 0, aborted: 0, failed: 0, faulted: 0 };
}
