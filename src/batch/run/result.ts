import type { Ms, Tokens } from "../../core/units.ts";
import type { BatchRow } from "../input/row.ts";

/** Why a row has no answer. */
export type FailureCause =
  /** 4xx: asking again would be answered the same. */
  | "refused"
  /** 408, 409, 5xx, each time. */
  | "server_error"
  | "timeout"
  /** No connection, or it broke. */
  | "network"
  /** A success that holds no answer: no JSON object, or an error in it. */
  | "invalid_answer"
  /** The row needs more than a limit ever allows. */
  | "over_limit";

/** What an answer says that it used; `undefined` where it does not say. */
export interface Usage {
  readonly input: Tokens | undefined;
  readonly output: Tokens | undefined;
}

/** An answer of the server. */
export interface Answer {
  readonly statusCode: number;
  /** The server's name for the request; empty where it gave none. */
  readonly requestId: string;
  /** The body as it came, on one line: JSON. */
  readonly text: string;
  readonly body: unknown;
}

/** How one row ended. */
export type RowResult = {
  readonly row: BatchRow;
  /** How often it was sent. */
  readonly attempts: number;
  /** Of the last attempt. */
  readonly latencyMs: Ms;
} & (
  | { readonly kind: "answered"; readonly answer: Answer; readonly usage: Usage; readonly isCut: boolean }
  | {
      readonly kind: "failed";
      readonly cause: FailureCause;
      readonly message: string;
      /** What the server answered, where it did. */
      readonly answer: Answer | undefined;
    }
);
