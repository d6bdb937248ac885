import { endOfValue, skipSpace } from "./json-members.ts";
import { type Report, reportOf } from "./report.ts";

const NEWLINE = 10;
const COLON = 58;

/** Messages without one of these need not be parsed. `"usage":null` is not one. */
const COUNTS = /"(?:usage|timings|meta_info)"\s*:\s*\{|"(?:eval_count|prompt_eval_count|tokens_predicted)"\s*:\s*\d/;

/** Fields in which the servers put their counts, for messages of which the beginning is lost. */
const FIELDS = ["usage", "timings", "meta_info", "eval_count", "prompt_eval_count"] as const;

/**
 * The last report in the lines of a stream's end. `isWhole`: the first line has not lost its beginning.
 * An event has its data in one line; servers that break JSON over lines are not known.
 */
export function lastReportInLines(bytes: Buffer, isWhole: boolean): Report | undefined {
  for (let end = bytes.length; end > 0;) {
    const start = bytes.lastIndexOf(NEWLINE, end - 1) + 1;
    const line = bytes.subarray(start, end);
    const report = start === 0 && !isWhole ? reportInRest(line) : reportInLine(line);
    if (report !== undefined) return report;
    end = start - 1;
  }
  return undefined;
}

/** The first report in the lines of a stream's beginning. */
export function firstReportInLines(bytes: Buffer): Report | undefined {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const report = reportInLine(bytes.subarray(start, end));
    if (report !== undefined) return report;
    start = end + 1;
  }
  return undefined;
}

/** The report in a body that is one JSON value, or in the end of one. A list reports in its last element. */
export function reportInBody(bytes: Buffer, isWhole: boolean): Report | undefined {
  if (!isWhole) return reportInRest(bytes);
  const json = parse(bytes.toString("utf8"));
  return reportOf(Array.isArray(json) ? json.at(-1) : json);
}

function reportInLine(line: Buffer): Report | undefined {
  const text = line.toString("utf8");
  if (!COUNTS.test(text)) return undefined;
  return reportOf(parse(text.startsWith("data:") ? text.slice(5) : text));
}

/**
 * The report in a message of which the beginning is lost: the last occurrence of each field. Text that a model wrote is
 * always inside a JSON string, where a quote has a backslash, and the arguments of a tool, which need not be, come before
 * the counts in every known server.
 */
function reportInRest(bytes: Buffer): Report | undefined {
  const found: Record<string, unknown> = {};
  for (const field of FIELDS) found[field] = lastCounts(bytes, field);
  return reportOf(found);
}

/** The value of the last such field that says something about tokens. */
function lastCounts(bytes: Buffer, field: string): unknown {
  const name = `"${field}"`;
  for (let at = bytes.lastIndexOf(name); at > 0; at = bytes.lastIndexOf(name, at - 1)) {
    const colon = skipSpace(bytes, at + name.length);
    if (bytes[colon] !== COLON) continue;
    const start = skipSpace(bytes, colon + 1);
    const end = endOfValue(bytes, start);
    const value = end === undefined ? undefined : parse(bytes.toString("utf8", start, end));
    if (reportOf({ [field]: value }) !== undefined) return value;
  }
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
