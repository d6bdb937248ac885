import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";

import type { Fault } from "../../../src/lab/model/http/faults.ts";

/** When and how a client leaves. */
export interface Leaving {
  readonly when:
    | { readonly kind: "in-body" }
    | { readonly kind: "after"; readonly ms: number }
    | { readonly kind: "on-headers" }
    | { readonly kind: "after-chunks"; readonly chunks: number };
  /** With a reset in place of a close. */
  readonly reset: boolean;
}

/** One request and what shall go wrong with it. */
export interface Plan {
  readonly body: object;
  readonly fault?: Fault | undefined;
  readonly leaving?: Leaving | undefined;
}

/** What a client saw. */
export type Sight =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** What the gate says about an answer of its own. */
      readonly outcome: string | undefined;
      readonly text: string;
      /** False: the connection closed in the middle of the body. */
      readonly whole: boolean;
    }
  | { readonly kind: "left" }
  /** No answer came. */
  | { readonly kind: "failed"; readonly code: string | undefined };

export interface PlayOptions {
  /** Keeps connections for several requests. Left out, each has one of its own. */
  readonly agent?: Agent;
  /** Says when to leave. */
  readonly signal?: AbortSignal;
}

/** Plays one request. Resolves when all of it is over, its connection included if it has one of its own. */
export function play(port: number, plan: Plan, { agent, signal }: PlayOptions = {}): Promise<Sight> {
  const { body, fault, leaving } = plan;
  return new Promise((resolve) => {
    const payload = JSON.stringify(body);
    const request = httpRequest({
      host: "127.0.0.1",
      port,
      path: "/v1/chat/completions",
      method: "POST",
      agent: agent ?? false,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(payload),
        ...(fault !== undefined && { "x-sim-fault": fault }),
      },
    });
    let sight: Sight | undefined;
    let answer: IncomingMessage | undefined;
    const leave = (): void => {
      sight = { kind: "left" };
      hangUp(request, leaving?.reset === true);
    };
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", leave);
      resolve(sight ?? { kind: "failed", code: undefined });
    };
    const when = leaving?.when;
    signal?.addEventListener("abort", leave);
    const timer = when?.kind === "after" ? setTimeout(leave, when.ms) : undefined;
    request.on("error", (error: Error & { code?: string }) => {
      if (answer === undefined) sight ??= { kind: "failed", code: error.code };
    });
    // The request of an answer that was cut off closes before the answer does.
    request.on("close", () => (answer === undefined || answer.closed ? finish() : answer.once("close", finish)));
    request.on("response", (response) => {
      answer = response;
      if (when?.kind === "on-headers") return leave();
      let text = "";
      let chunks = 0;
      response.setEncoding("utf8");
      response.on("error", () => {});
      response.on("data", (chunk: string) => {
        text += chunk;
        chunks += 1;
        if (when?.kind === "after-chunks" && chunks === when.chunks) leave();
      });
      response.on("close", () => {
        const { statusCode: status = 0, headers, complete: whole } = response;
        const outcome = headers["x-headgate-outcome"];
        sight ??= { kind: "answered", status, outcome: outcome?.toString(), text, whole };
      });
    });
    if (when?.kind !== "in-body") return void request.end(payload);
    request.write(payload.slice(0, payload.length >> 1), leave);
  });
}

function hangUp(request: ClientRequest, reset: boolean): void {
  if (reset && request.socket !== null) request.socket.resetAndDestroy();
  request.destroy();
}
