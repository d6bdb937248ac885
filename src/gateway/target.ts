import type { IncomingMessage } from "node:http";

import { climbsOut } from "./http/path.ts";
import { WHO } from "./who.ts";

/** Characters that may stand in a request target on their way to a backend. */
const SENDABLE = /^\/[\u0021-\u00ff]*$/;

/**
 * What is wrong with a request before anybody looks at its body, or undefined. An absolute target loses its authority
 * here, since the gate asks its own backends and nobody else (RFC 9112 §3.2.2).
 */
export function targetProblem(request: IncomingMessage, via: string): { status: number; message: string } | undefined {
  const { headers, method } = request;
  // The parser also takes 0.9 and 2.0 in this syntax.
  if (request.httpVersionMajor !== 1) return problem(505, "the gate speaks HTTP/1.1 and HTTP/1.0.");
  if (headers.host === undefined && request.httpVersionMinor > 0) return problem(400, "the Host header is missing.");
  if (headers.expect !== undefined && request.httpVersionMinor > 0 && !/^100-continue$/i.test(headers.expect))
    return problem(417, "the only expectation is 100-continue.");
  if (method === "TRACE") return problem(405, "TRACE is not relayed.");
  if (headers.upgrade?.toLowerCase() === "websocket") return problem(501, "WebSocket upgrades are not relayed.");
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    return problem(501, "the only transfer coding is chunked.");
  if (coding !== undefined && request.httpVersionMinor === 0) return problem(400, "HTTP/1.0 knows no transfer coding.");
  if (headers.via?.includes(via) === true)
    return problem(508, "the request came round in a loop: a backend of this gate leads back to it.");
  const target = withoutAuthority(request.url ?? "");
  if (!SENDABLE.test(target)) return problem(400, "the request target must be a path.");
  if (climbsOut(target)) return problem(400, "the request target must not lead above the root.");
  request.url = target;
  return undefined;
}

function withoutAuthority(target: string): string {
  const authority = /^https?:\/\/[^/?#]*/i.exec(target);
  if (authority === null) return target;
  const rest = target.slice(authority[0].length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function problem(status: number, sentence: string): { status: number; message: string } {
  return { status, message: `${WHO} ${sentence}` };
}
