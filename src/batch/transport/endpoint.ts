/** Where an API's paths begin if its address does not say. */
export const USUAL_PREFIX = "/v1";

/** The version in front of a row's path. */
const VERSION = /^\/v\d+(?=\/)/;

/** What a base never ends in: it is what stands before these. */
const LAST_PARTS = /\/(?:chat\/completions|completions|embeddings|responses|messages|models)\/*$/;

/** A path, and no way to another host or out of the API. */
const ENDPOINT = /^\/(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[\w\-./~:@]+$/;

/** Whether a text is the path of an endpoint: `/v1/chat/completions`. */
export function isEndpoint(text: string): boolean {
  return ENDPOINT.test(text);
}

/**
 * Where a row's request goes. The base is what clients take as theirs: all that stands before `/chat/completions`. So a row's
 * path goes after the base's, without its own version: `http://host/openai/v1` and `/v1/chat/completions` are
 * `/openai/v1/chat/completions`. The base's query goes with every request.
 */
export function pathOf(base: URL, rowUrl: string): string {
  const prefix = base.pathname.replace(/\/+$/, "") || USUAL_PREFIX;
  return prefix + rowUrl.replace(VERSION, "") + base.search;
}

/** A base URL from text, or the rule that it breaks. */
export function parseBase(text: string): URL | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "must be a URL like http://127.0.0.1:8080/v1";
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must begin with http:// or https://";
  if (url.username !== "" || url.password !== "") return "must hold no password; keys come from the environment";
  if (url.hash !== "") return "must have no fragment";
  if (LAST_PARTS.test(url.pathname)) {
    const before = url.pathname.replace(LAST_PARTS, "");
    return `must end before the endpoint, which the rows name: ${url.origin}${before}${url.search}`;
  }
  return url;
}
