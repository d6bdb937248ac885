import { EXIT } from "../exit.ts";

/** The last one comes when a terminal is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Hears the first Ctrl-C, which ends a run in good order; the second ends the process. */
export class Interruption {
  readonly #controller = new AbortController();

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#hear);
  }

  /** Aborts with why, in words. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get happened(): boolean {
    return this.#controller.signal.aborted;
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#hear);
  }

  readonly #hear = (): void => {
    if (this.happened) process.exit(EXIT.interrupted);
    process.stderr.write("headgate: ending the run; once more to stop at once\n");
    this.#controller.abort("interrupted");
  };
}
