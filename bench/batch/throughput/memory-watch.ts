import { readFileSync } from "node:fs";

/** The most memory that a process had, as Linux notes it; looked at until the process is gone. */
export class MemoryWatch {
  peakBytes = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      try {
        const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
        this.peakBytes = Math.max(this.peakBytes, Number(kilobytes ?? 0) * 1_024);
      } catch {
        // It has ended.
      }
    }, 50);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
