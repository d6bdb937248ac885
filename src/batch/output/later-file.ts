import { asError } from "../as-error.ts";
import { Appender, type LineSink } from "./appender.ts";

/** A file that is there once it has a line: no file of failures where nothing failed. */
export class LaterFile implements LineSink {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  #opening: Promise<void> | undefined;
  #file: Appender | undefined;
  #early: string[] = [];
  #error: unknown;

  /** `failed` hears of it if the file cannot be opened or written. */
  constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  get isFull(): boolean {
    return this.#file?.isFull ?? this.#early.length > 0;
  }

  append(line: string): void {
    if (this.#file !== undefined) return this.#file.append(line);
    this.#early.push(line);
    this.#opening ??= this.#open();
  }

  async room(): Promise<void> {
    await this.#opened();
    await this.#file?.room();
  }

  async close(): Promise<void> {
    await this.#opened();
    await this.#file?.close();
  }

  async #opened(): Promise<void> {
    await this.#opening;
    if (this.#error !== undefined) throw asError(this.#error);
  }

  async #open(): Promise<void> {
    try {
      const file = await Appender.open(this.#path, this.#failed);
      for (const line of this.#early) file.append(line);
      this.#early = [];
      this.#file = file;
    } catch (error) {
      this.#error = error;
      this.#failed(error);
    }
  }
}
