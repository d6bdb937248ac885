import { z } from "zod";
import type { FileText, Problem } from "../../config/tools.ts";
import { wholeFile } from "../../config/tools.ts";
import { MOST_TOKENS } from "./schema/values.ts";
import type { TracedRequest } from "./types.ts";

/** Bytes that a trace may have. */
export const LARGEST_TRACE = 64_000_000;
const MOST_REPORTED = 50;

/** A recorded trace, or everything that is wrong with it. */
export type TraceReading =
  | { readonly kind: "read"; readonly requests: readonly TracedRequest[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

const tokens = z.number().int().min(1).max(MOST_TOKENS);

/** Mooncake's format. Further keys, such as `hash_ids`, are left alone. */
const line = z
  .object({ timestamp: z.number().min(0).max(1e10), input_length: tokens, output_length: tokens })
  .transform((from): TracedRequest => ({
    atMs: from.timestamp,
    inputTokens: from.input_length,
    outputTokens: from.output_length,
  }));

/** Reads a trace: one JSON object a line, empty lines left out. `file` is what problems call it. Requests come out in order of time. */
export function readTrace(file: string, source: FileText): TraceReading {
  if (source.kind === "refused") return { kind: "refused", problems: [wholeFile(file, source)] };
  const requests: TracedRequest[] = [];
  const problems: Problem[] = [];
  for (const [index, text] of source.text.split("\n").entries()) {
    if (text.trim() === "") continue;
    const found = readLine(text);
    if ("rule" in found) problems.push(problemAt(file, index + 1, found));
    else requests.push(found);
  }
  if (problems.length > MOST_REPORTED) {
    const rule = `has ${problems.length - MOST_REPORTED} more lines that are wrong`;
    problems.splice(MOST_REPORTED, Infinity, wholeFile(file, { rule }));
  }
  if (problems.length === 0 && requests.length === 0) problems.push(wholeFile(file, { rule: "has no requests" }));
  if (problems.length > 0) return { kind: "refused", problems };
  return { kind: "read", requests: requests.toSorted((a, b) => a.atMs - b.atMs) };
}

interface Fault {
  readonly path: string;
  readonly rule: string;
}

/** What each key must be. */
const RULES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    timestamp: "must be milliseconds from the start of the trace, 0 or more",
    input_length: `must be a whole number of tokens from 1 to ${MOST_TOKENS}`,
    output_length: `must be a whole number of tokens from 1 to ${MOST_TOKENS}`,
  }),
);

function readLine(text: string): TracedRequest | Fault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { path: "", rule: "must be a line of JSON" };
  }
  const reading = line.safeParse(value);
  if (reading.success) return reading.data;
  const key = reading.error.issues[0]?.path[0];
  const rule = RULES.get(String(key)) ?? "must be a JSON object with timestamp, input_length and output_length";
  return { path: key === undefined ? "" : String(key), rule };
}

function problemAt(file: string, number: number, { path, rule }: Fault): Problem {
  return { severity: "error", file, line: number, column: 1, path, rule };
}
