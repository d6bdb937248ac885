import type { z } from "zod";
import { readBackendUrl, readHost, readKeySetPlace } from "../address.ts";
import { readCidr } from "../cidr.ts";
import type { Reading } from "../units.ts";
import { field, orVariable } from "./field.ts";

/** Reads a TCP port; no units here, `8k` is no port. */
export function readPort(value: unknown): Reading<number> {
  const port = typeof value === "number" || (typeof value === "string" && /^\d{1,5}$/.test(value)) ? Number(value) : -1;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return { kind: "read", value: port };
  return { kind: "refused", rule: "must be a port from 0 to 65535" };
}

export function port(): z.ZodType<number> {
  const pattern = orVariable(String.raw`\d{1,5}`);
  return field(readPort, {
    title: "port from 0 to 65535",
    type: ["integer", "string"],
    pattern,
    minimum: 0,
    maximum: 65_535,
  });
}

export function host(): z.ZodType<string> {
  return field(readHost, { title: "host name or IP address", type: "string" });
}

export function backendUrl(): z.ZodType<string> {
  return field(readBackendUrl, { title: "http or https URL", type: "string", pattern: orVariable("https?://.+") });
}

/** Addresses in CIDR notation. */
export function cidr(): z.ZodType<string> {
  const pattern = orVariable(String.raw`[0-9A-Fa-f.:]+/\d{1,3}`);
  return field(readCidr, { title: "block of addresses like `10.0.0.0/8`", type: "string", pattern });
}

/** Where the public keys of an issuer are: a URL or a file. */
export function keySetPlace(): z.ZodType<string> {
  return field(readKeySetPlace, { title: "https URL, or path of a file", type: "string", minLength: 1 });
}

/** What these headers say belongs to HTTP or to the keys of clients, so they cannot also name a consumer. */
const TAKEN =
  /^(?:authorization|proxy-.*|x-api-key|api-key|cookie|set-cookie|host|connection|keep-alive|upgrade|te|trailer|transfer-encoding|expect|content-.*|accept.*|date|via|forwarded|x-forwarded-.*|x-real-ip|sec-.*)$/;

/** Reads the name of a header, in lower case once read. */
function readHeaderName(value: unknown): Reading<string> {
  const name = typeof value === "string" ? value.toLowerCase() : "";
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/.test(name)) {
    return { kind: "refused", rule: "must be the name of a header, like x-consumer" };
  }
  return TAKEN.test(name)
    ? { kind: "refused", rule: "is a header that has a meaning already", hint: "x-consumer is free" }
    : { kind: "read", value: name };
}

export function headerName(): z.ZodType<string> {
  return field(readHeaderName, { title: "name of a header", type: "string", minLength: 1, maxLength: 64 });
}
