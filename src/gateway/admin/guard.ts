import type { IncomingMessage } from "node:http";

import type { AdminConfig } from "../../config/types.ts";
import { printable } from "../http/printable.ts";
import { bracketed, hostsOf, isLoopback } from "./host.ts";
import { type AdminRefusal, refusal } from "./refusal.ts";
import { Token } from "./token.ts";

/** What there is to judge by. Never the path. */
type Heads = Pick<IncomingMessage, "method" | "headers" | "rawHeaders">;

/**
 * Who may call the admin listener. The law:
 *
 * 1. The request names this listener in `Host`, with the port. A page that a stranger's name was rebound to does not.
 *    A wildcard address goes by names that nobody can list; there the token alone keeps such a page out.
 * 2. No page of another origin may call, neither by `Origin` nor by `Sec-Fetch-Site`, not even to read.
 * 3. Where there is a token, every request carries it, from loopback too. Only `/healthz` goes without, and says nothing.
 * 4. Nothing of 1 to 3 depends on the path, so that no spelling of a path gets around it.
 * 5. What changes anything is a POST that no HTML form can send: `content-type: application/json` or the header
 *    `x-headgate-admin`. Both make a browser ask first, and it is refused when it asks.
 */
export class Guard {
  readonly #hosts: ReadonlySet<string> | undefined;
  readonly #token: Token | undefined;
  readonly #home: string;

  /** Throws a `RangeError` where anybody on the network could call without a token, and for a token that nobody can send. */
  constructor({ host, port, token }: AdminConfig) {
    if (token === undefined && !isLoopback(host)) {
      throw new RangeError(`admin.host ${host} is reached from other machines: set admin.token`);
    }
    this.#hosts = hostsOf(host, port);
    this.#token = token === undefined ? undefined : new Token(token);
    this.#home = `http://${bracketed(host)}:${port}`;
  }

  /** Rules 1 and 2. */
  judgeOrigin(request: Heads): AdminRefusal | undefined {
    const host = request.headers.host?.toLowerCase();
    if (host === undefined || countOf(request, "host") > 1) {
      return refusal("invalid_request", "The request must have one Host header.");
    }
    if (this.#hosts?.has(host) === false) {
      const message = `${printable(host)} is not this listener. Call ${this.#home}; through a tunnel, keep the port.`;
      return refusal("host_not_allowed", message);
    }
    const { origin } = request.headers;
    const isForeign = origin !== undefined && !isSameOrigin(origin, host);
    if (isForeign || !isOwnSite(request)) {
      return refusal("origin_not_allowed", "Pages of other origins may not call the admin listener.");
    }
    return undefined;
  }

  /** Rule 3. */
  judgeToken(request: Heads): AdminRefusal | undefined {
    if (this.#token === undefined) return undefined;
    const { authorization } = request.headers;
    if (countOf(request, "authorization") < 2 && this.#token.isIn(authorization)) return undefined;
    const what = authorization === undefined ? "It needs the admin token" : "That is not the admin token";
    return refusal("invalid_token", `${what}: send "Authorization: Bearer TOKEN", with admin.token of the file.`);
  }

  /** Rule 5, for a request that changes something. */
  judgeWrite(request: Heads): AdminRefusal | undefined {
    const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
    if (type === "application/json" || request.headers["x-headgate-admin"] !== undefined) return undefined;
    return refusal("unsupported_media_type", 'Send "content-type: application/json", or "x-headgate-admin: 1".');
  }
}

/** With either scheme: there may be a proxy in front that speaks TLS. */
function isSameOrigin(origin: string, host: string): boolean {
  const lower = origin.toLowerCase();
  return lower === `http://${host}` || lower === `https://${host}`;
}

/** What the browser says about the page that asks. `none`: a person typed the address; that may only look. */
function isOwnSite(request: Heads): boolean {
  const site = request.headers["sec-fetch-site"];
  const looks = request.method === "GET" || request.method === "HEAD";
  return site === undefined || site === "same-origin" || (site === "none" && looks);
}

/** How often a header came. Node keeps the first of some and joins others. */
function countOf(request: Heads, name: string): number {
  const { rawHeaders } = request;
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) count += 1;
  }
  return count;
}
