/**
 * Headers that belong to one connection and never travel on (RFC 9110 §7.6.1), and those that undici writes itself.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Never taken from a client: framing is made anew, and these say things that only the gate may say. */
const GATE_OWNED: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "expect",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
  "http2-settings",
  // llama-server goes on generating after a disconnect when it sees this one.
  "x-conversation-id",
]);

const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"]);

/** What becomes of a client's header on its way to the backend. */
type Fate = "passes" | "stays" | "credential";

/** Names as clients spell them: the same few again and again. Bounded, since strangers choose them. */
const SEEN = new Map<string, Fate>();
const MOST_SEEN = 256;

function fateOf(name: string): Fate {
  const seen = SEEN.get(name);
  if (seen !== undefined) return seen;
  const lower = name.toLowerCase();
  const stays = HOP_BY_HOP.has(lower) || GATE_OWNED.has(lower);
  const fate = stays ? "stays" : CREDENTIALS.has(lower) ? "credential" : "passes";
  if (SEEN.size < MOST_SEEN) SEEN.set(name, fate);
  return fate;
}

const ACCEPT_ENCODING = "accept-encoding";

/** What the gate says about a request to the backend. */
export interface ForwardedFacts {
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly host: string | undefined;
  readonly via: string;
  readonly backendKey: string | undefined;
  readonly forwardCredentials: boolean;
  /** In lower case. Says who a consumer is, so it never travels on. */
  readonly identityHeader: string;
  /** The answer must not be compressed: the gate reads in it. */
  readonly uncompressed: boolean;
}

/** The headers for the backend, flat: what the client sent, less what must not travel, plus what the gate says. */
export function requestHeaders(raw: readonly string[], facts: ForwardedFacts): string[] {
  const named = connectionNames(raw);
  const dropsCredentials = !facts.forwardCredentials || facts.backendKey !== undefined;
  const headers: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const fate = fateOf(name);
    if (fate === "stays" || (fate === "credential" && dropsCredentials)) continue;
    if (name.length === facts.identityHeader.length && name.toLowerCase() === facts.identityHeader) continue;
    if (facts.uncompressed && name.length === ACCEPT_ENCODING.length && name.toLowerCase() === ACCEPT_ENCODING)
      continue;
    if (named?.has(name.toLowerCase()) === true) continue;
    headers.push(name, raw[index + 1] ?? "");
  }
  headers.push("x-request-id", facts.requestId, "x-forwarded-for", facts.remoteAddress, "x-forwarded-proto", "http");
  if (facts.host !== undefined) headers.push("x-forwarded-host", facts.host);
  headers.push("via", facts.via);
  if (facts.backendKey !== undefined) headers.push("authorization", `Bearer ${facts.backendKey}`);
  return headers;
}

/** A backend's response headers, as the client may see them. */
export interface ResponseHeaders {
  /** Flat, in the backend's order and spelling. */
  readonly flat: string[];
  readonly contentType: string;
  readonly hasLength: boolean;
  readonly hasRequestId: boolean;
  readonly isEncoded: boolean;
}

/** Copies the end-to-end headers of a response and notes what the relay has to know. */
export function responseHeaders(raw: readonly Buffer[]): ResponseHeaders {
  const text = raw.map((part) => part.toString("latin1"));
  const named = connectionNames(text);
  const flat: string[] = [];
  let contentType = "";
  let hasLength = false;
  let hasRequestId = false;
  let isEncoded = false;
  for (let index = 0; index + 1 < text.length; index += 2) {
    const name = text[index] ?? "";
    const value = text[index + 1] ?? "";
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named?.has(lower) === true) continue;
    flat.push(name, value);
    if (lower === "content-type") contentType = value.toLowerCase();
    else if (lower === "content-length") hasLength = true;
    else if (lower === "x-request-id") hasRequestId = true;
    else if (lower === "content-encoding") isEncoded = value.toLowerCase() !== "identity";
  }
  return { flat, contentType, hasLength, hasRequestId, isEncoded };
}

/** The same headers, flat, without what a backend says of limits of its own. */
export function withoutRateLimits(flat: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = flat[index] ?? "";
    if (!name.toLowerCase().startsWith("x-ratelimit-")) kept.push(name, flat[index + 1] ?? "");
  }
  return kept;
}

/** The names that `Connection` lists, which are hop-by-hop too. Undefined where it lists none but the usual. */
function connectionNames(raw: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    const value = (raw[index + 1] ?? "").toLowerCase();
    if (value === "keep-alive" || value === "close") continue;
    names ??= new Set();
    for (const listed of value.split(",")) names.add(listed.trim());
  }
  return names;
}
