import type { Log } from "../contracts/log.ts";
import { EXIT, type ExitCode } from "./exit.ts";

/** Ends this process when its standard input ends: whoever started it has gone, and with it everybody that it served. */
export function endWithParent(): void {
  process.stdin.on("close", () => process.exit(EXIT.terminated)).resume();
}

/** What stops in good order on the first signal. */
export interface Stoppable {
  /** Resolves when everything has ended. */
  stop(): Promise<void>;
}

/**
 * Waits for SIGTERM or SIGINT, then for the stop. A second signal ends the process at once. Resolves with the exit code
 * of a stop in good order.
 */
export function runUntilSignal(stoppable: Stoppable, log: Log, describe: () => string): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(signal === "SIGTERM" ? EXIT.terminated : EXIT.interrupted);
      stopping = true;
      log.info(`${signal}: ${describe()}; once more to stop at once`);
      stoppable.stop().then(() => {
        process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
        resolve(EXIT.ok);
      }, reject);
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  });
}
