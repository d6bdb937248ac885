import { z } from "zod";
import type { Reading } from "./units.ts";

const RULE = "must be a block of addresses like 10.0.0.0/8 or fd00::/8";

/** Reads CIDR notation. A block has to begin at its first address: `10.1.2.3/8` may be meant as one address, and is not. */
export function readCidr(value: unknown): Reading<string> {
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (z.ipv4().safeParse(text).success) return { kind: "refused", rule: RULE, hint: `did you mean ${text}/32?` };
  if (z.ipv6().safeParse(text).success) return { kind: "refused", rule: RULE, hint: `did you mean ${text}/128?` };
  const [, address = "", length = ""] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (parsed === undefined || Number(length) > parsed.width) return { kind: "refused", rule: RULE };
  const rest = BigInt(parsed.width - Number(length));
  const first = (parsed.bits >> rest) << rest;
  if (first === parsed.bits) return { kind: "read", value: text };
  const hint = `did you mean ${formatAddress(first, parsed.width)}/${length}?`;
  return { kind: "refused", rule: "must begin at the first address of its block", hint };
}

/** Whether a block that was read holds every address there is. */
export function isEverywhere(cidr: string): boolean {
  return cidr.endsWith("/0");
}

interface Address {
  readonly bits: bigint;
  /** 32 or 128. */
  readonly width: number;
}

function parseAddress(text: string): Address | undefined {
  if (z.ipv4().safeParse(text).success) return { bits: join(text.split("."), 10, 8), width: 32 };
  if (!z.ipv6().safeParse(text).success) return undefined;
  // `URL` writes every spelling of an address in one way, without dots in it.
  const [left = "", right = ""] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const [before, after] = [groups(left), groups(right)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return { bits: join([...before, ...zeros, ...after], 16, 16), width: 128 };
}

function groups(text: string): readonly string[] {
  return text === "" ? [] : text.split(":");
}

function join(parts: readonly string[], radix: number, width: number): bigint {
  return parts.reduce((bits, part) => (bits << BigInt(width)) | BigInt(parseInt(part, radix)), 0n);
}

function formatAddress(bits: bigint, width: number): string {
  const size = width === 32 ? 8n : 16n;
  const parts = Array.from({ length: width / Number(size) }, (_, index) => {
    const shift = BigInt(width) - size * BigInt(index + 1);
    return ((bits >> shift) & ((1n << size) - 1n)).toString(width === 32 ? 10 : 16);
  });
  return width === 32 ? parts.join(".") : new URL(`http://[${parts.join(":")}]/`).hostname.slice(1, -1);
}
