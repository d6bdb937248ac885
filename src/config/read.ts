import { promises as fs } from "node:fs";
import type { EpochMs } from "../core/units.ts";
import type { Environment } from "./interpolate.ts";
import { LARGEST_FILE, parseConfig, tooLarge } from "./parse.ts";
import type { ConfigResult, Refusal } from "./problem.ts";
import { wholeFile } from "./problem.ts";

/**
 * Reads and parses a configuration file. A file that cannot be read is a problem like any other, not an exception. With
 * `now`, keys that have expired are warned about.
 */
export async function readConfig(path: string, env: Environment, now?: EpochMs): Promise<ConfigResult> {
  const file = await readText(path, CONFIGURATION);
  return file.kind === "text"
    ? parseConfig({ file: path, text: file.text, env, now })
    : { kind: "invalid", problems: [wholeFile(path, file)] };
}

const CONFIGURATION: Expected = {
  kind: "configuration",
  limit: LARGEST_FILE,
  absentHint: "without a file: headgate serve --backend http://localhost:8081",
};

/** What a file is taken for. */
export interface Expected {
  /** What a file of its kind is called. */
  readonly kind: string;
  /** Bytes that it may have. */
  readonly limit: number;
  readonly absentHint?: string;
}

/** The text of a file, or why there is none. */
export type FileText = { readonly kind: "text"; readonly text: string } | ({ readonly kind: "refused" } & Refusal);

/** Reads a whole file of UTF-8. */
export async function readText(path: string, expected: Expected): Promise<FileText> {
  let bytes: Uint8Array;
  try {
    bytes = await readUpTo(path, expected.limit + 1);
  } catch (error) {
    return { kind: "refused", ...whyUnreadable(error, expected) };
  }
  if (bytes.length > expected.limit) return { kind: "refused", rule: tooLarge(expected.limit, expected.kind) };
  const text = decode(bytes);
  return text === undefined
    ? { kind: "refused", rule: "is not UTF-8 text", hint: "save it in UTF-8" }
    : { kind: "text", text };
}

/** A pipe has no size that could be asked for first, and `/dev/zero` no end. */
async function readUpTo(path: string, limit: number): Promise<Uint8Array> {
  const file = await fs.open(path, "r");
  try {
    const buffer = new Uint8Array(limit);
    let length = 0;
    while (length < limit) {
      const { bytesRead } = await file.read(buffer, length, limit - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function whyUnreadable(error: unknown, { absentHint }: Expected): Refusal {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { rule: "does not exist", hint: absentHint };
    case "EISDIR":
      return { rule: "is a directory", hint: "name the file in it" };
    case "EACCES":
    case "EPERM":
      return { rule: "cannot be read: this user has no permission to" };
    default:
      return { rule: `cannot be read (${code})` };
  }
}
