import type { Ms } from "../../core/units.ts";

/** What a request or a probe says about a backend. */
export type Evidence =
  /** It answered, whatever it said, below 500. */
  | "answered"
  /** It answered 5xx before the first byte of a body. */
  | "server_error"
  /** No connection, or the connection broke before an answer. */
  | "unreachable";

/** What an answer's status says about the server that gave it. 501 says that a path is not there, as 404 does. */
export function evidenceOf(status: number): Evidence {
  return status >= 500 && status !== 501 ? "server_error" : "answered";
}

/** So many bad answers in a row and nothing good between them are more than chance. */
const SERVER_ERRORS = 3;
const UNREACHABLE = 2;
const FIRST_BACKOFF_MS: Ms = 1_000;
const LONGEST_BACKOFF_MS: Ms = 30_000;

/**
 * Whether a backend gets requests. Healthy until the evidence is against it; then ejected until a probe gets through,
 * not sooner than a back-off that doubles with each ejection and starts again once a request was answered.
 *
 * Server errors alone never eject the last backend: a client's poisonous request must not take the deployment down.
 */
export class Health {
  #ejected = false;
  #errors = 0;
  #misses = 0;
  #backoffMs: Ms = FIRST_BACKOFF_MS;

  get ejected(): boolean {
    return this.#ejected;
  }

  /** How long to wait before the next probe of an ejected backend. */
  get backoffMs(): Ms {
    return this.#backoffMs;
  }

  /** Weighs what a request showed. True if the backend is ejected by it. */
  note(evidence: Evidence, isLast: boolean): boolean {
    switch (evidence) {
      case "answered":
        this.#errors = 0;
        this.#misses = 0;
        if (!this.#ejected) this.#backoffMs = FIRST_BACKOFF_MS;
        return false;
      case "server_error":
        this.#errors += 1;
        this.#misses = 0;
        return this.#errors >= SERVER_ERRORS && !isLast && this.#eject();
      case "unreachable":
        this.#misses += 1;
        return this.#misses >= UNREACHABLE && this.#eject();
    }
  }

  /** A connection was refused: nothing listens there, one time is enough. True if the backend is ejected by it. */
  noteRefused(): boolean {
    return this.#eject();
  }

  /** A probe of an ejected backend did not get through. */
  probeFailed(): void {
    this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS);
  }

  /** A probe got through. True if that ends an ejection. */
  readmit(): boolean {
    this.#misses = 0;
    if (!this.#ejected) return false;
    this.#ejected = false;
    this.#errors = 0;
    // A backend that fails again at once waits longer than before.
    this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS);
    return true;
  }

  #eject(): boolean {
    if (this.#ejected) return false;
    this.#ejected = true;
    return true;
  }
}
