/**
 * Where a row's request goes: the base's host, and its path in front of the row's. A version that ends the base's path is
 * not repeated: `http://host/openai/v1` and `/v1/chat/completions` are `/openai/v1/chat/completions`.
 */
export function pathOf(base: URL, rowUrl: string): string {
  const prefix = base.pathname.replace(/\/+$/, "");
  const version = /\/v\d+$/.exec(prefix)?.[0];
  if (version !== undefined && rowUrl.startsWith(`${version}/`)) return prefix + rowUrl.slice(version.length);
  return prefix + rowUrl;
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
  if (url.search !== "" || url.hash !== "") return "must have no query and no fragment";
  return url;
}
