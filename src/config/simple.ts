import type { Ms } from "../core/units.ts";
import { judge } from "./judge.ts";
import type { ConfigPath, ConfigResult, Finding, Problem } from "./problem.ts";
import { toParsed, toResult } from "./problem.ts";

/**
 * The flags of `headgate serve` without a file. Numbers are plain, and durations milliseconds; text is read as the file is
 * read, `160k` or `5m`. What is left out takes the default of the file, but for the queue: the flags queue by default.
 */
export interface SimpleFlags {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly backends: readonly string[];
  /** Sent to every backend. */
  readonly apiKey?: string | undefined;
  readonly maxConcurrent?: number | string | undefined;
  readonly maxInflightTokens?: number | string | undefined;
  /** 0 refuses instead of waiting. */
  readonly queueLength?: number | string | undefined;
  /** 0 refuses instead of waiting. */
  readonly queueWaitMs?: Ms | string | undefined;
  readonly drainTimeoutMs?: Ms | string | undefined;
}

/** The name of the one deployment that the flags describe. */
const SIMPLE_DEPLOYMENT = "default";

/** Builds the configuration of the flags with the rules of the file. A problem's path is the flag that has it. */
export function simpleConfig(flags: SimpleFlags): ConfigResult {
  const { config, findings } = judge(toTree(flags));
  const problems = findings.map(toProblem);
  // Every backend has the same key, and one bad key is one mistake.
  const unlike = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return toResult(toParsed(config, [...unlike.values()]));
}

/** What the same settings would look like in a file. */
function toTree(flags: SimpleFlags): unknown {
  return {
    server: given({ host: flags.host, port: flags.port, drain_timeout: inMs(flags.drainTimeoutMs) }),
    deployments: {
      [SIMPLE_DEPLOYMENT]: given({
        backends: flags.backends.map((url) => given({ url, api_key: flags.apiKey })),
        max_concurrent: flags.maxConcurrent,
        max_inflight_tokens: flags.maxInflightTokens,
        queue: waits(flags) ? given({ max_length: flags.queueLength, max_wait: inMs(flags.queueWaitMs) }) : undefined,
      }),
    },
  };
}

function waits({ queueLength, queueWaitMs }: SimpleFlags): boolean {
  return !isZero(queueLength) && !isZero(queueWaitMs);
}

function isZero(value: number | string | undefined): boolean {
  return value !== undefined && /^0(?:ms|s|m|h)?$/.test(String(value));
}

function inMs(duration: Ms | string | undefined): string | undefined {
  return typeof duration === "number" ? `${duration}ms` : duration;
}

function given(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

const FLAGS = new Map(
  Object.entries({
    host: "--host",
    port: "--port",
    drain_timeout: "--drain-timeout",
    backends: "--backend",
    api_key: "--api-key",
    max_concurrent: "--max-concurrent",
    max_inflight_tokens: "--max-inflight-tokens",
    max_length: "--queue-length",
    max_wait: "--queue-wait",
  }),
);

function toProblem({ severity, path, rule, received, hint }: Finding): Problem {
  return {
    severity,
    file: "",
    line: 0,
    column: 0,
    path: flagOf(path),
    // The flag is one item of the list that the file would have.
    rule: path.at(-1) === "backends" ? "is needed at least once" : rule,
    ...(received !== undefined && { received }),
    ...(hint !== undefined && { hint }),
  };
}

/** The flag for the innermost key that has one. */
function flagOf(path: ConfigPath): string {
  const key = path.findLast((part) => FLAGS.has(String(part)));
  return FLAGS.get(String(key)) ?? "";
}
