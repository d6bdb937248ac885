import type { IncomingMessage } from "node:http";

import type { Bytes } from "../../../core/units.ts";

/** Enough for prompts with pictures. */
const MAX_BODY_BYTES: Bytes = 64 * 1024 * 1024;

export type Body =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "not-json" }
  | { readonly kind: "too-large" }
  /** The client left before its body was complete. */
  | { readonly kind: "gone" };

/** Reads a request's body as JSON. */
export function readJson(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size: Bytes = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        request.pause();
        resolve({ kind: "too-large" });
      } else {
        chunks.push(chunk);
      }
    });
    request.on("end", () => resolve(parse(Buffer.concat(chunks))));
    request.on("close", () => resolve({ kind: "gone" }));
    request.on("error", () => resolve({ kind: "gone" }));
  });
}

function parse(bytes: Buffer): Body {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return { kind: "json", value };
  } catch {
    return { kind: "not-json" };
  }
}
