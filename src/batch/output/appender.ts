import { type FileHandle, open, stat } from "node:fs/promises";

import type { Bytes } from "../../core/units.ts";
import { asError } from "../as-error.ts";
import { fileError, FileError, withFile } from "../file-error.ts";

/** So much may wait for the disk before its writers do. */
const MOST_WAITING: Bytes = 4 * 1024 * 1024;

/** Where lines go, in the order in which they are given. */
export interface LineSink {
  /** Takes a line with its line end. */
  append(line: string): void;
  /** Resolves when there is room for more. Rejects where a line could not be written. */
  room(): Promise<void>;
  /** Whether `room` has to be waited for. */
  readonly isFull: boolean;
  /** Writes what waits, and ends. Rejects where a line could not be written. */
  close(): Promise<void>;
}

/** Appends lines to a file, whole lines with every write: as many as have gathered while the last write went on. */
export class Appender implements LineSink {
  readonly #write: (text: string) => Promise<void>;
  readonly #end: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #waiting: string[] = [];
  #bytes: Bytes = 0;
  #writing: Promise<void> | undefined;
  #error: unknown;

  private constructor(
    write: (text: string) => Promise<void>,
    end: () => Promise<void>,
    failed: (error: unknown) => void,
  ) {
    this.#write = write;
    this.#end = end;
    this.#failed = failed;
  }

  /** `failed` hears of the first line that cannot be written. Rejects where the file cannot be opened. */
  static async open(path: string, failed: (error: unknown) => void): Promise<Appender> {
    const file = await withFile("write", path, () => open(path, "a"));
    const end = async (): Promise<void> => {
      try {
        await withFile("write", path, () => file.sync());
        await checkPlace(file, path);
      } finally {
        await file.close();
      }
    };
    return new Appender((text) => withFile("write", path, () => writeAll(file, text)), end, failed);
  }

  /** Writes to a stream that stays open, like standard output. */
  static onto(stream: NodeJS.WritableStream, failed: (error: unknown) => void): Appender {
    const write = (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error === undefined || error === null ? resolve() : reject(error)));
      });
    return new Appender(write, () => Promise.resolve(), failed);
  }

  get isFull(): boolean {
    return this.#bytes > MOST_WAITING || this.#error !== undefined;
  }

  append(line: string): void {
    this.#waiting.push(line);
    this.#bytes += line.length;
    this.#writing ??= this.#drain();
  }

  async room(): Promise<void> {
    while (this.#bytes > MOST_WAITING && this.#error === undefined) await this.#writing;
    this.#check();
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    // What went wrong first is what there is to tell.
    const ended = this.#end();
    if (this.#error !== undefined) await ended.catch(() => {});
    this.#check();
    await ended;
  }

  async #drain(): Promise<void> {
    // Lets what ends in the same turn go out in one write.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#waiting.length > 0 && this.#error === undefined) {
        const text = this.#waiting.join("");
        this.#waiting = [];
        await this.#write(text);
        this.#bytes -= text.length;
      }
    } catch (error) {
      this.#error = error;
      this.#failed(error);
    }
    this.#writing = undefined;
  }

  #check(): void {
    if (this.#error !== undefined) throw asError(this.#error);
  }
}

/** Throws where the file that was written is not what stands under its name: somebody has removed it, or moved it away. */
async function checkPlace(file: FileHandle, path: string): Promise<void> {
  const { dev, ino } = await file.stat();
  let there: { readonly dev: number; readonly ino: number } | undefined;
  try {
    there = await stat(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw fileError(error, "read", path);
  }
  if (there?.dev === dev && there.ino === ino) return;
  throw new FileError(`${path} was removed or replaced while it was being written: what this run wrote is not there`);
}

async function writeAll(file: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
}
