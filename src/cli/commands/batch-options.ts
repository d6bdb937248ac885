import type { BatchFileOptions } from "../../batch/run/batch-file-types.ts";
import type { Price } from "../../batch/run/types.ts";
import { parseLimit } from "../../batch/limiter/parse-limit.ts";
import { parseBase } from "../../batch/transport/endpoint.ts";
import { brokenHeader, brokenValue } from "../../batch/transport/header.ts";
import { readDuration } from "../../config/units.ts";
import type { Ms } from "../../core/units.ts";
import { CommandError, EXIT } from "../exit.ts";
import { positiveNumber, wholeNumber } from "../numbers.ts";

/** The options of `headgate batch`, as they come from the command line. */
export interface BatchFlags {
  readonly output?: string;
  readonly url?: string;
  readonly limit?: readonly string[];
  readonly guard?: string;
  readonly concurrency?: string;
  readonly maxAttempts?: string;
  readonly timeout?: string;
  readonly schedule?: string;
  readonly order?: string;
  readonly api?: string;
  readonly model?: string;
  readonly header?: readonly string[];
  readonly apiKeyEnv?: string;
  readonly dryRun?: boolean;
  readonly sample?: string;
  readonly maxCost?: string;
  readonly price?: string;
  readonly maxPause?: string;
  readonly maxFailures?: string;
  readonly coldStart?: string;
  readonly progress?: string;
  readonly retryFailed?: boolean;
  readonly skipBadLines?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const PROGRESS = ["bar", "text", "json", "none"] as const;

/** How progress is shown. */
type ProgressMode = (typeof PROGRESS)[number];

/** What the flags say. */
export interface BatchSettings {
  readonly file: BatchFileOptions;
  /** `undefined`: whatever suits standard error. */
  readonly progress: ProgressMode | undefined;
  readonly json: boolean;
  /** Where a key was looked for in vain; `undefined` where there is one. */
  readonly missingKey: string | undefined;
}

const DAY_MS: Ms = 86_400_000;

/** Reads the flags. Throws a usage error with every mistake at once. */
export function readBatchFlags(input: string, flags: BatchFlags, env: NodeJS.ProcessEnv): BatchSettings {
  const mistakes: string[] = [];
  const read = <T>(value: () => T): T | undefined => {
    try {
      return value();
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      mistakes.push(error.message);
      return undefined;
    }
  };
  const given = <T>(flag: string | undefined, value: (text: string) => T): T | undefined =>
    flag === undefined ? undefined : read(() => value(flag));

  const url = read(() => baseUrl(flags.url));
  const limits = (flags.limit ?? []).map((text) => read(() => limit(text)));
  const headers = (flags.header ?? []).map((text) => read(() => header(text)));
  const guardMs = given(flags.guard, (text) => duration("--guard", text));
  const price = given(flags.price, priceOf);
  const maxCost = given(flags.maxCost, (text) => positiveNumber("--max-cost", text));
  const schedule = given(flags.schedule, (text) => oneOf("--schedule", text, ["fifo", "longest-first"] as const));
  const order = given(flags.order, (text) => oneOf("--order", text, ["completion", "input"] as const));
  const coldStart = given(flags.coldStart, (text) => oneOf("--cold-start", text, ["idle", "busy"] as const));
  const progress = given(flags.progress, (text) => oneOf("--progress", text, PROGRESS));
  const api = given(flags.api, (text) => oneOf("--api", text, ["openai", "anthropic"] as const));
  const keyName = flags.apiKeyEnv ?? (api === "anthropic" ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY");
  const apiKey = env[keyName] === "" ? undefined : env[keyName];
  const brokenKey = apiKey === undefined ? undefined : brokenValue(apiKey);
  if (brokenKey !== undefined) mistakes.push(`the key in ${keyName} ${brokenKey}`);
  const file: BatchFileOptions = {
    input,
    output: flags.output,
    url: url ?? "",
    apiKey,
    api: api ?? "openai",
    model: flags.model,
    limits: limits.filter((text) => text !== undefined),
    headers: Object.fromEntries(headers.filter((pair) => pair !== undefined)),
    schedule: schedule ?? "fifo",
    order: order ?? "completion",
    concurrency: read(() => whole("--concurrency", flags.concurrency ?? "50", 10_000)) ?? 1,
    maxAttempts: read(() => whole("--max-attempts", flags.maxAttempts ?? "6", 1_000)) ?? 1,
    timeoutMs: given(flags.timeout, (text) => duration("--timeout", text)) ?? 0,
    maxPauseMs: given(flags.maxPause ?? "10m", (text) => duration("--max-pause", text)) ?? 0,
    maxFailures: read(() => whole("--max-failures", flags.maxFailures ?? "100", 1_000_000, 0)) ?? 0,
    sample: given(flags.sample, (text) => whole("--sample", text, 1_000_000)),
    ...(guardMs !== undefined && { guardMs }),
    ...(coldStart !== undefined && { coldStart }),
    ...(price !== undefined && { price }),
    ...(maxCost !== undefined && { maxCost }),
    force: flags.force === true,
    retryFailed: flags.retryFailed === true,
    skipBadLines: flags.skipBadLines === true,
    dryRun: flags.dryRun === true,
  };
  mistakes.push(...conflicts(file));
  if (mistakes.length > 0) throw usage(mistakes);
  const missingKey = apiKey === undefined && flags.apiKeyEnv !== undefined ? keyName : undefined;
  return { file, progress, json: flags.json === true, missingKey };
}

function conflicts({
  input,
  output,
  price,
  maxCost,
  dryRun,
  sample,
  schedule,
  order,
  retryFailed,
}: BatchFileOptions): readonly string[] {
  const isStdin = input === "-";
  const isStdout = output === "-";
  const rules: readonly (readonly [boolean, string])[] = [
    [isStdin && output === undefined, "INPUT - needs an OUTPUT: -o FILE, or -o - for standard output"],
    [maxCost !== undefined && price === undefined, "--max-cost needs --price"],
    [isStdin && dryRun === true, "--dry-run needs a file as INPUT"],
    [isStdin && sample !== undefined, "--sample needs a file as INPUT"],
    [dryRun === true && sample !== undefined, "--sample sends rows and --dry-run sends none: give one of them"],
    [output === "", "OUTPUT must be the name of a file, or - for standard output"],
    [isStdout && retryFailed === true, "--retry-failed needs a file as OUTPUT"],
    [
      schedule === "longest-first" && order === "input",
      "--order input cannot be given together with --schedule longest-first",
    ],
    [!isStdin && input === output, "OUTPUT must be another file than INPUT"],
  ];
  return rules.filter(([isBroken]) => isBroken).map(([, rule]) => rule);
}

function baseUrl(text: string | undefined): string {
  if (text === undefined) throw wrong("--url must be given: the address of the API, like http://127.0.0.1:8080/v1");
  const base = parseBase(text);
  if (typeof base === "string") throw wrong(`--url ${base}, got ${JSON.stringify(text)}`);
  return text;
}

function limit(text: string): string {
  if (text === "auto") return text;
  const reading = parseLimit(text);
  if (reading.kind === "refused") throw wrong(`--limit ${JSON.stringify(text)}: ${reading.rule} (${reading.hint})`);
  return text;
}

/** The value is not shown: it may be a secret. */
function header(text: string): readonly [string, string] {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(0, colon)).trim().toLowerCase();
  const value = text.slice(colon + 1).trim();
  if (colon < 1) throw wrong("--header must be a name, a colon and a value");
  const broken = brokenHeader(name, value);
  if (broken !== undefined) throw wrong(`--header ${JSON.stringify(name)} ${broken}`);
  return [name, value];
}

function priceOf(text: string): Price {
  const [input, output, ...rest] = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const isPrice = (value: number | undefined): value is number => value !== undefined && value >= 0 && value < 1e9;
  if (!isPrice(input) || !isPrice(output) || rest.length > 0)
    throw wrong(
      `--price must be two numbers, per million input and output tokens, like 0.15,0.60, got ${JSON.stringify(text)}`,
    );
  return { input, output };
}

function duration(flag: string, text: string): Ms {
  const reading = readDuration(text, { min: 0, max: 30 * DAY_MS });
  if (reading.kind === "read") return reading.value;
  throw wrong(`${flag} ${reading.rule}, got ${JSON.stringify(text)}`);
}

function whole(flag: string, text: string, most: number, least = 1): number {
  return wholeNumber(flag, text, { least, most });
}

function oneOf<T extends string>(flag: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw wrong(`${flag} must be one of ${values.join(", ")}, got ${JSON.stringify(text)}`);
}

function wrong(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}

function usage(mistakes: readonly string[]): CommandError {
  const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
  return wrong(`${mistakes.join("\n          ")}\n          (${count}, nothing was sent)`);
}
