import { z } from "zod";
import type { Reading } from "./units.ts";

const HOST_RULE = "must be a host name or an IP address, without scheme and port";
const LABELS =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;

/** Reads what the gate may listen on: `127.0.0.1`, `::1`, `0.0.0.0`, `gate.example.org`. */
export function readHost(value: unknown): Reading<string> {
  const text = typeof value === "string" ? value : "";
  if (z.ipv4().safeParse(text).success || z.ipv6().safeParse(text).success) return { kind: "read", value: text };
  // `1.2.3.400` is no address, and no name server would ever know it.
  if (LABELS.test(text) && !/(?:^|\.)\d+\.?$/.test(text)) return { kind: "read", value: text };
  return { kind: "refused", rule: HOST_RULE, hint: hostHint(text) };
}

function hostHint(text: string): string | undefined {
  if (text === "*") return "0.0.0.0 listens on every address";
  if (/^\[.*\]$/.test(text)) return "write the IPv6 address without brackets";
  if (/^[a-z]+:\/\//i.test(text)) return "write only the host, without http://";
  return /^[^:]+:\d+$/.test(text) ? "the port is a setting of its own" : undefined;
}

const URL_RULE = "must be a URL like http://127.0.0.1:8081";

/** Reads a backend's base URL and writes it as `URL` does, without a slash at the end of a path prefix. */
export function readBackendUrl(value: unknown): Reading<string> {
  const text = typeof value === "string" ? value : "";
  // `URL` repairs blanks, backslashes and missing slashes in silence; the file should say what is meant.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text) || !URL.canParse(text)) {
    return { kind: "refused", rule: URL_RULE, hint: urlHint(text) };
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    return {
      kind: "refused",
      rule: "must not hold a user name or a password",
      hint: "a key for the backend is its api_key",
    };
  }
  if (/[?#]/.test(text)) return { kind: "refused", rule: "must not hold a query or a fragment" };
  if (url.port === "0") return { kind: "refused", rule: "must have a port from 1 to 65535" };
  if (isMetadata(canonicalHost(url.hostname))) {
    return {
      kind: "refused",
      rule: "must not be a link-local or cloud metadata address (169.254.0.0/16)",
      hint: "a client could read this machine's cloud credentials through it",
    };
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  return { kind: "read", value: url.href };
}

function urlHint(text: string): string | undefined {
  const guess = `http://${text}`;
  return /^[\w.-]+(:\d+)?(\/[\w./-]*)?$/.test(text) && /[.:]|^localhost/.test(text) && URL.canParse(guess)
    ? `did you mean ${guess}?`
    : undefined;
}

/** Reads where an issuer publishes its keys: an `https:` URL, `http:` on loopback only, or the path of a file. */
export function readKeySetPlace(value: unknown): Reading<string> {
  const text = typeof value === "string" ? value : "";
  const rule = "must be an https URL or the path of a file";
  if (!/^[^\p{C}]{1,1024}$/u.test(text) || text.trim() !== text) return { kind: "refused", rule };
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: "read", value: text };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return { kind: "refused", rule };
  if (url.username !== "" || url.password !== "") {
    return { kind: "refused", rule: "must not hold a user name or a password" };
  }
  const host = canonicalHost(url.hostname);
  if (isMetadata(host)) return { kind: "refused", rule: "must not be a link-local or cloud metadata address" };
  if (url.protocol === "http:" && !isLoopback(host)) {
    const hint = "whoever is between here and there could sign in as anybody";
    return { kind: "refused", rule: "must be https: http is for loopback only", hint };
  }
  return { kind: "read", value: url.href };
}

/** One spelling for each host: `127.1`, `0x7f000001` and `::ffff:127.0.0.1` all become `127.0.0.1`; IPv6 gets its brackets. */
export function canonicalHost(host: string): string {
  const bare = host.replace(/^\[|\]$/g, "");
  const guess = `http://${bare.includes(":") ? `[${bare}]` : bare}/`;
  const name = (URL.canParse(guess) ? new URL(guess).hostname : bare).toLowerCase().replace(/\.$/, "");
  const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(name);
  if (mapped === null) return name;
  const [high, low] = [parseInt(mapped[1] ?? "", 16), parseInt(mapped[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** Whether only this machine reaches the (canonical) host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Whether listening on the (canonical) host means every address of this machine. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "[::]";
}

/** Where clouds hand out the credentials of a machine, and the link-local network that it is part of. */
function isMetadata(host: string): boolean {
  const names = ["metadata.google.internal", "metadata", "100.100.100.200", "[fd00:ec2::254]"];
  return /^169\.254\.\d+\.\d+$/.test(host) || /^\[fe[89ab][0-9a-f]:/.test(host) || names.includes(host);
}
