import { readDuration } from "../../config/tools.ts";
import type { Ms } from "../../core/units.ts";
import { CommandError, EXIT } from "../exit.ts";
import { positiveNumber, wholeNumber } from "../numbers.ts";

/** The options of `headgate load`, as they come from the command line. */
export interface LoadFlags {
  readonly target?: readonly string[];
  readonly metrics?: string;
  readonly speed?: string;
  readonly virtual?: boolean;
  readonly duration?: string;
  readonly seed?: string;
  readonly report?: string;
  readonly assert?: boolean;
  /** False for `--no-gate`. */
  readonly gate: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** The same, understood. */
export interface LoadWishes {
  readonly targets: readonly string[];
  readonly metrics: string | undefined;
  /** `undefined`: the scenario's own. */
  readonly speed: number | undefined;
  readonly virtual: boolean;
  /** `undefined`: the scenario's own. */
  readonly durationMs: Ms | undefined;
  /** One run each. At least one. */
  readonly seeds: readonly number[];
  readonly reportDir: string | undefined;
  readonly assert: boolean;
  readonly bare: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

const LARGEST_SEED = 2 ** 32 - 1;
const MOST_SEEDS = 1_000;
const DURATION = { min: 1_000, max: 7 * 24 * 3_600_000 };

/** Reads the options. Throws a usage error with the flag, the rule and the value. */
export function readFlags(flags: LoadFlags): LoadWishes {
  const targets = (flags.target ?? []).map((url) => httpUrl("--target", url));
  const virtual = flags.virtual === true;
  if (virtual && targets.length > 0) refuse("--virtual runs nothing over HTTP; leave out --target, or --virtual");
  if (virtual && flags.speed !== undefined) refuse("--virtual takes no time; leave out --speed, or --virtual");
  if (!flags.gate && targets.length > 0) {
    refuse("--no-gate is for the simulated model; to compare two servers, give --target twice");
  }
  if (flags.metrics !== undefined && targets.length !== 1) refuse("--metrics goes with one --target");
  return {
    targets,
    virtual,
    metrics: flags.metrics === undefined ? undefined : httpUrl("--metrics", flags.metrics),
    speed: flags.speed === undefined ? undefined : positiveNumber("--speed", flags.speed),
    durationMs: flags.duration === undefined ? undefined : durationOf(flags.duration),
    seeds: seedsOf(flags.seed ?? "1"),
    reportDir: flags.report,
    assert: flags.assert === true,
    bare: !flags.gate,
    json: flags.json === true,
    verbose: flags.verbose === true,
  };
}

function durationOf(text: string): Ms {
  const reading = readDuration(text, DURATION);
  if (reading.kind === "read") return reading.value;
  throw new CommandError(`--duration ${reading.rule}, got ${JSON.stringify(text)}`, EXIT.usage);
}

/** `7`, or `1-10` for ten runs. */
function seedsOf(text: string): readonly number[] {
  const [first = "", last = first, ...rest] = text.split("-");
  const bounds = { least: 0, most: LARGEST_SEED };
  if (rest.length > 0) refuse(`--seed must be a number like 7 or a range like 1-10, got ${JSON.stringify(text)}`);
  const from = wholeNumber("--seed", first, bounds);
  const to = wholeNumber("--seed", last, bounds);
  if (to < from || to - from >= MOST_SEEDS) {
    refuse(`--seed must be a range of 1 to ${MOST_SEEDS} seeds like 1-10, got ${JSON.stringify(text)}`);
  }
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function httpUrl(flag: string, text: string): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : "";
  if (protocol === "http:" || protocol === "https:") return text;
  return refuse(`${flag} must be a URL like http://127.0.0.1:8080, got ${JSON.stringify(text)}`);
}

function refuse(message: string): never {
  throw new CommandError(message, EXIT.usage);
}
