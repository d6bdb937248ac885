import { promises as fs } from "node:fs";
import type { EpochMs } from "../core/units.ts";
import type { Environment } from "./interpolate.ts";
import { LARGEST_FILE, parseConfig, refuseFile } from "./parse.ts";
import type { ConfigResult } from "./problem.ts";

/**
 * Reads and parses a configuration file. A file that cannot be read is a problem like any other, not an exception. With
 * `now`, keys that have expired are warned about.
 */
export async function readConfig(path: string, env: Environment, now?: EpochMs): Promise<ConfigResult> {
  let bytes: Uint8Array;
  try {
    bytes = await readUpTo(path, LARGEST_FILE + 1);
  } catch (error) {
    return refuseUnreadable(path, error);
  }
  if (bytes.length > LARGEST_FILE) return refuseFile(path, "is larger than 1MB, which no configuration is");
  const text = decode(bytes);
  return text === undefined
    ? refuseFile(path, "is not UTF-8 text", "save it in UTF-8")
    : parseConfig({ file: path, text, env, now });
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

function refuseUnreadable(path: string, error: unknown): ConfigResult {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return refuseFile(path, "does not exist", "without a file: headgate serve --backend http://localhost:8081");
    case "EISDIR":
      return refuseFile(path, "is a directory", "name the file in it");
    case "EACCES":
    case "EPERM":
      return refuseFile(path, "cannot be read: this user has no permission to");
    default:
      return refuseFile(path, `cannot be read (${code})`);
  }
}
