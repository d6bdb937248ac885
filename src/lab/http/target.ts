/** Where requests go: the origin, and what stands before `/v1/…` in every path. */
export interface Target {
  /** `http://127.0.0.1:8080`: what a connection is opened to. */
  readonly origin: string;
  /** "" or like `/tenant`. */
  readonly base: string;
}

/** Reads a server's URL. A `/v1` at its end, as client libraries want it, is the same as none. Throws a `RangeError` where it is none. */
export function readTarget(url: string): Target {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new RangeError(`must be a URL like http://127.0.0.1:8080, got ${JSON.stringify(url)}`);
  }
  return { origin: parsed.origin, base: parsed.pathname.replace(/\/+$/, "").replace(/\/v1$/, "") };
}
