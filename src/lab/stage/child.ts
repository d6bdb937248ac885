import type { ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import process from "node:process";

import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";

/** How long a process may take to say what it is waited for. */
const ANSWER_MS: Ms = 20_000;
/** How long it may take to stop in good order. */
const STOP_MS: Ms = 5_000;
/** Characters of what it said, to look through; the last of them are told whoever waited in vain. */
const REMEMBERED = 65_536;
const SHOWN = 2_000;

export interface ChildOptions {
  /** What to call it in messages: "the gate". */
  readonly name: string;
  /** Where all that it says goes. */
  readonly logPath: string;
  /** The system's time, whatever the speed of the run. */
  readonly clock: Clock;
  /** It has ended without being told to. */
  readonly onDeath: (why: string) => void;
}

/**
 * A process of the lab, with its output in pipes. Its end is `stop`; if this process exits before, it is killed then. Whoever may be
 * ended by a signal must handle that, since a process that a signal ends has no exit to do it at: `process.exit` is enough.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #options: ChildOptions;
  readonly #log: WriteStream;
  readonly #looks = new Set<() => void>();
  readonly #ended: Promise<void>;
  readonly #words = { output: "", log: "" };
  #why: string | undefined;
  #isStopping = false;

  constructor(child: ChildProcess, options: ChildOptions) {
    this.#process = child;
    this.#options = options;
    this.#log = createWriteStream(options.logPath);
    // A full disk must not end the run.
    this.#log.on("error", () => {});
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    child.stdout?.setEncoding("utf8").on("data", (words: string) => this.#hear("output", words));
    child.stderr?.setEncoding("utf8").on("data", (words: string) => this.#hear("log", words));
    this.#ended = new Promise((resolve) => {
      const end = (why: string): void => {
        process.off("exit", kill);
        this.#end(why);
        resolve();
      };
      child.once("error", (error) => end(`${options.name} did not start: ${error.message}`));
      child.once("close", (code, signal) => end(`${options.name} ended by itself (${signal ?? `code ${code}`})`));
    });
  }

  /** Sends a signal; what is over gets none. */
  signal(signal: NodeJS.Signals): void {
    if (this.#why === undefined) this.#process.kill(signal);
  }

  /** From here on `said` looks: what it has said so far is forgotten. */
  forget(): void {
    this.#words.output = "";
    this.#words.log = "";
  }

  /** Resolves with the groups of the pattern once it has said that. Rejects where it ends before, or does not in 20 s. */
  said(pattern: RegExp): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}; ${this.#lastWords()}`));
      const cancel = this.#options.clock.after(ANSWER_MS, () => {
        this.#looks.delete(look);
        fail(`${this.#options.name} did not say ${pattern.source}`);
      });
      const look = (): void => {
        const found = pattern.exec(this.#words.output) ?? pattern.exec(this.#words.log);
        if (found === null && this.#why === undefined) return;
        this.#looks.delete(look);
        cancel();
        if (found === null) fail(this.#why ?? "");
        else resolve(found.slice(1));
      };
      this.#looks.add(look);
      look();
    });
  }

  /** Asks it to end, and makes it after 5 s. Resolves when it is gone and its log is written. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.signal("SIGTERM");
    const cancel: Cancel = this.#options.clock.after(STOP_MS, () => this.signal("SIGKILL"));
    await this.#ended;
    cancel();
    await new Promise<void>((resolve) => {
      if (this.#log.closed) return resolve();
      this.#log.once("close", () => resolve());
    });
  }

  #lastWords(): string {
    const { output, log } = this.#words;
    const words = (log === "" ? output : log).trim();
    return words === "" ? "it said nothing" : `its last words: ${words.slice(-SHOWN)}`;
  }

  #hear(stream: "output" | "log", words: string): void {
    this.#log.write(words);
    this.#words[stream] = (this.#words[stream] + words).slice(-REMEMBERED);
    for (const look of this.#looks) look();
  }

  #end(why: string): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#log.end();
    for (const look of this.#looks) look();
    if (!this.#isStopping) this.#options.onDeath(why);
  }
}
