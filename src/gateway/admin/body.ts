import type { IncomingMessage } from "node:http";

import { BodyBudget, type BodyResult, readBody } from "../http/body.ts";
import { type AdminRefusal, refusal } from "./refusal.ts";

/** What the admin listener takes; nothing that it is told is longer than a line. */
const LARGEST_BODY = 4_096;

/**
 * Reads the body of a request that takes no parameters: nothing, or an empty object. `confirm` asks a client for it that
 * waits to be asked. `aborted`: the client went away.
 */
export async function readNothing(
  request: IncomingMessage,
  confirm: (() => void) | undefined,
): Promise<AdminRefusal | "aborted" | undefined> {
  if (Number(request.headers["content-length"] ?? 0) <= LARGEST_BODY) confirm?.();
  const result = await new Promise<BodyResult>((resolve) => {
    readBody(request, LARGEST_BODY, new BodyBudget(LARGEST_BODY), resolve);
  });
  switch (result.kind) {
    case "aborted":
      return "aborted";
    case "too_large":
    case "no_room":
      return refusal("request_too_large", `The body is larger than ${LARGEST_BODY} bytes.`);
    case "complete":
      return saysNothing(result.body.toString("utf8"))
        ? undefined
        : refusal("invalid_request", "This call takes no parameters: send no body, or {}.");
  }
}

function saysNothing(text: string): boolean {
  return text.trim() === "" || /^\s*\{\s*\}\s*$/.test(text);
}
