import type { Socket } from "node:net";

import { STREAM_CHUNK, STREAM_END } from "./answer.ts";

/** And one more that says that the answer is done. */
const CHUNKS_PER_STREAM = 300;
const INTERVAL_MS = 2;
const TICK_MS = 1;

interface Stream {
  readonly socket: Socket;
  dueAt: number;
  left: number;
}

/**
 * Writes the chunks of all streams, each stream one per interval, spread over it. A stream that is late catches up by
 * shorter intervals, but never writes two chunks at once: those would arrive as one.
 */
export class Pacer {
  /** Chunks so far, of all streams. */
  written = 0;
  readonly #streams = new Set<Stream>();

  add(socket: Socket): void {
    if (this.#streams.size === 0) setTimeout(() => this.#tick(), TICK_MS);
    this.#streams.add({ socket, dueAt: performance.now() + Math.random() * INTERVAL_MS, left: CHUNKS_PER_STREAM });
  }

  #tick(): void {
    const now = performance.now();
    for (const stream of this.#streams) {
      if (stream.socket.destroyed) this.#streams.delete(stream);
      else if (stream.dueAt <= now) this.#write(stream, now);
    }
    if (this.#streams.size > 0) setTimeout(() => this.#tick(), TICK_MS);
  }

  #write(stream: Stream, now: number): void {
    const isLast = stream.left === 0;
    stream.socket.write(isLast ? STREAM_END : STREAM_CHUNK);
    this.written += 1;
    stream.left -= 1;
    stream.dueAt = Math.max(stream.dueAt + INTERVAL_MS, now + INTERVAL_MS / 2);
    if (isLast) this.#streams.delete(stream);
  }
}
