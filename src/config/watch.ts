import { createHash } from "node:crypto";
import { createReadStream, promises as fs, type FSWatcher, watch } from "node:fs";
import { dirname, resolve } from "node:path";

import type { Cancel, Clock } from "../contracts/clock.ts";
import { type Log, SILENT_LOG } from "../contracts/log.ts";
import type { Ms } from "../core/units.ts";
import { LARGEST_FILE } from "./parse.ts";

/** How long content must stay the same before it counts: nobody reads a file that is half written. */
const SETTLE_MS: Ms = 150;
const DEFAULT_POLL_MS: Ms = 2_000;

export interface WatchOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /** The SHA-256 of the content that the caller has, as `hashFile` writes it. The first look compares with it. */
  readonly hash: string | undefined;
  /**
   * Between two looks where nothing fires: network mounts, single files mounted into containers, chains of links.
   * Default 2 s.
   */
  readonly pollMs?: Ms;
  /** The content is another one. Called with none where the file is gone or cannot be read. */
  readonly onChange: (hash: string | undefined) => void;
}

/** A watch that is on until it is closed. */
export interface FileWatch {
  close(): void;
}

/**
 * Tells when the content of a file changes, however it is saved. The law:
 *
 * 1. What counts is the content that the path leads to: writing in place, renaming over it, swapping a link on the way to
 *    it (Kubernetes' `..data`), deleting and making it anew are all the same. The same content again is no change.
 * 2. A change is told once, after the content has stayed the same for 150 ms.
 * 3. Events only make it look sooner. Without any it looks every `pollMs`.
 * 4. After `close` nothing is told and nothing is held.
 */
export function watchFile(path: string, options: WatchOptions): FileWatch {
  const watcher = new Watcher(resolve(path), options);
  watcher.start();
  return { close: () => watcher.close() };
}

/** SHA-256 of a regular file in hexadecimal. `undefined` for what is none (a pipe can be read only once) or cannot be read. */
export async function hashFile(path: string): Promise<string | undefined> {
  try {
    if (!(await fs.stat(path)).isFile()) return undefined;
    const hash = createHash("sha256");
    // Longer ones are refused, whatever comes after.
    const stream: AsyncIterable<Buffer> = createReadStream(path, { end: LARGEST_FILE });
    for await (const chunk of stream) hash.update(chunk);
    return hash.digest("hex");
  } catch {
    return undefined;
  }
}

class Watcher {
  readonly #path: string;
  readonly #options: WatchOptions;
  readonly #log: Log;
  readonly #pollMs: Ms;
  /** The content that was told last. */
  #known: string | undefined;
  /** Another one that the last look saw. */
  #candidate: { readonly hash: string | undefined } | undefined;
  #watchers: readonly FSWatcher[] = [];
  /** Identity of the directories that are watched: one of the same name may be another. */
  #armed = "";
  #next: { readonly at: Ms; readonly cancel: Cancel } | undefined;
  #looking = false;
  /** Something fired during the look that is under way, which may have missed it. */
  #again = false;
  #closed = false;

  constructor(path: string, options: WatchOptions) {
    this.#path = path;
    this.#options = options;
    this.#log = options.log ?? SILENT_LOG;
    this.#pollMs = options.pollMs ?? DEFAULT_POLL_MS;
    this.#known = options.hash;
  }

  start(): void {
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#next?.cancel();
    this.#disarm();
  }

  #lookSoon(): void {
    if (this.#looking) this.#again = true;
    else this.#lookIn(SETTLE_MS);
  }

  /** Looks in `delay`, or sooner if that is due already. */
  #lookIn(delay: Ms): void {
    const at = this.#options.clock.now() + delay;
    if (this.#closed || (this.#next !== undefined && this.#next.at <= at)) return;
    this.#next?.cancel();
    const cancel = this.#options.clock.after(delay, () => {
      this.#next = undefined;
      void this.#look();
    });
    this.#next = { at, cancel };
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#again = false;
    // Armed first: what changes after the reading fires.
    await this.#arm();
    const hash = await hashFile(this.#path);
    this.#looking = false;
    if (this.#closed) return this.#disarm();
    this.#judge(hash);
    this.#lookIn(this.#again ? SETTLE_MS : this.#pollMs);
  }

  /** From the end of one look to the next is 150 ms at least, so that what both see has stayed so long. */
  #judge(hash: string | undefined): void {
    if (hash === this.#known) {
      this.#candidate = undefined;
    } else if (this.#candidate === undefined || this.#candidate.hash !== hash) {
      this.#candidate = { hash };
      this.#lookIn(SETTLE_MS);
    } else {
      this.#known = hash;
      this.#candidate = undefined;
      this.#options.onChange(hash);
    }
  }

  /** Watches the directory of the path and that of the file it leads to, where they are not watched already. */
  async #arm(): Promise<void> {
    const real = await fs.realpath(this.#path).catch(() => this.#path);
    const wanted = [...new Set([dirname(this.#path), dirname(real)])];
    const identity = JSON.stringify(await Promise.all(wanted.map(identify)));
    if (this.#closed || identity === this.#armed) return;
    this.#disarm();
    this.#armed = identity;
    this.#watchers = wanted.flatMap((directory) => this.#watchDirectory(directory));
  }

  #watchDirectory(directory: string): readonly FSWatcher[] {
    const fail = (error: unknown): void => {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.warn(`cannot watch ${directory}; looking every ${this.#pollMs / 1_000} s instead`, { error: why });
    };
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#lookSoon());
      watcher.on("error", (error) => {
        watcher.close();
        fail(error);
      });
      return [watcher];
    } catch (error) {
      fail(error);
      return [];
    }
  }

  #disarm(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    this.#armed = "";
  }
}

/** A directory that was deleted and made anew often gets its old number back, but was born later. */
async function identify(directory: string): Promise<readonly unknown[]> {
  const found = await fs.stat(directory).catch(() => undefined);
  return [directory, found?.dev, found?.ino, found?.birthtimeMs];
}
