import type { Wanted } from "../wire/request.ts";

/** What the load generator is told to do. */
export type LoadCommand =
  /** Each connection asks again as soon as it has its answer. */
  | {
      readonly kind: "closed";
      readonly port: number;
      readonly wanted: Wanted;
      readonly status: number;
      readonly connections: number;
      readonly seconds: number;
    }
  /** Requests go out at a steady rate, whatever becomes of those before. */
  | { readonly kind: "open"; readonly port: number; readonly rate: number; readonly seconds: number }
  /** Opens streams and leaves them open; done when each has said something. */
  | { readonly kind: "hold"; readonly port: number; readonly streams: number }
  /** Closes all connections to a port. */
  | { readonly kind: "close"; readonly port: number };

export interface LoadReport {
  /** Answers with the status that was expected. */
  readonly done: number;
  /** Other answers, and connections that closed before one. */
  readonly wrong: number;
  /** Chunks in answers. */
  readonly chunks: number;
  /** Times that a socket had something to read. As many as chunks where none were glued together. */
  readonly reads: number;
  /** From the moment that each request was meant to go out. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}
