import { formatProblems, type Problem, readConfig } from "../config/index.ts";
import type { Environment } from "../config/index.ts";
import type { ConfigResult } from "../config/problem.ts";
import type { Config } from "../config/types.ts";
import { hashFile, watchFile } from "../config/watch.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Log } from "../contracts/log.ts";
import type {
  ConfigurationSource,
  ConfigurationStatus,
  RejectedFile,
  ReloadResult,
  ReloadTrigger,
} from "../gateway/admin/index.ts";

/** A file as it was read, and the hash of just that content. */
export interface FileVersion {
  readonly result: ConfigResult;
  /** `undefined` for what is no regular file, such as a pipe. */
  readonly hash: string | undefined;
}

const MOST_READINGS = 5;
const SHOWN_DIGITS = 12;
const MOST_LOGGED = 10;

/** Reads and parses a file that may be written meanwhile. */
export async function readVersion(path: string, env: Environment): Promise<FileVersion> {
  for (let reading = 1; ; reading++) {
    const hash = await hashFile(path);
    const result = await readConfig(path, env);
    // Whoever goes on saving is heard when they are done: the watch sees to it.
    if (reading === MOST_READINGS || (await hashFile(path)) === hash) return { result, hash };
  }
}

export interface ReloaderOptions {
  readonly path: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Log;
  /** What the gate was started with: version 1. */
  readonly config: Config;
  /** Of the content that `config` was read from. */
  readonly hash: string | undefined;
  /** What changes from one to the other, in words. */
  readonly describe: (old: Config, next: Config) => readonly string[];
  /**
   * Makes the gate run on it, at once and as a whole. Returns, in words, what waits for a restart: everything in which the
   * file differs from what runs, not only what is new in it.
   */
  readonly apply: (next: Config) => readonly string[];
  /** Reads again the files that the configuration names. Throws where the gate cannot run on them; then the old ones stay. */
  readonly refresh: () => void;
}

/**
 * Holds the version of the configuration that runs, and takes the next one from the file. The law:
 *
 * 1. A file with a mistake changes nothing: the version before it runs on, and `status` says what is wrong and where.
 * 2. The content that runs already is not applied again.
 * 3. One reload at a time, and each reads the file after it was asked for. Whoever asks while one is due shares it.
 * 4. Each refused content is logged once.
 */
export class Reloader implements ConfigurationSource {
  readonly #options: ReloaderOptions;
  #config: Config;
  #hash: string | undefined;
  #version = 1;
  #appliedAt: string;
  #appliedBy: ConfigurationStatus["applied_by"] = "start";
  #needsRestart: readonly string[] = [];
  #rejected: (RejectedFile & { readonly hash: string | undefined }) | undefined;
  #running: Promise<ReloadResult> | undefined;
  /** The one after `#running`. It has read nothing yet. */
  #due: Promise<ReloadResult> | undefined;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#hash = options.hash;
    this.#appliedAt = this.#wall();
  }

  /** Of the content that runs. */
  get hash(): string | undefined {
    return this.#hash;
  }

  status(): ConfigurationStatus {
    const rejected = this.#rejected;
    return {
      file: this.#options.path,
      version: this.#version,
      hash: this.#hash?.slice(0, SHOWN_DIGITS) ?? null,
      applied_at: this.#appliedAt,
      applied_by: this.#appliedBy,
      needs_restart: this.#needsRestart,
      rejected: rejected === undefined ? null : { at: rejected.at, problems: rejected.problems },
    };
  }

  reload(trigger: ReloadTrigger): Promise<ReloadResult> {
    if (this.#due !== undefined) return this.#due;
    if (this.#running === undefined) return this.#run(trigger);
    const begin = (): Promise<ReloadResult> => {
      this.#due = undefined;
      return this.#run(trigger);
    };
    this.#due = this.#running.then(begin, begin);
    return this.#due;
  }

  #run(trigger: ReloadTrigger): Promise<ReloadResult> {
    const run = this.#read(trigger).finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }

  async #read(trigger: ReloadTrigger): Promise<ReloadResult> {
    const { path, env } = this.#options;
    const { result, hash } = await readVersion(path, env);
    if (hash !== undefined && hash === this.#hash) return this.#keep(trigger, hash);
    return result.kind === "invalid" ? this.#reject(result.problems, hash) : this.#apply(result, hash, trigger);
  }

  /** Somebody who asks for a reload also means the files that this one names, such as keys of issuers. */
  #keep(trigger: ReloadTrigger, hash: string): ReloadResult {
    const { refresh, log, path } = this.#options;
    try {
      if (trigger !== "file") refresh();
    } catch (error) {
      return this.#reject([unapplied(path, error)], hash);
    }
    const version = this.#version;
    if (this.#rejected !== undefined) log.info(`${path} is again version ${version}, which runs`);
    else if (trigger === "file") log.debug(`${path} is unchanged`);
    else log.info(`${path} is unchanged: version ${version} runs on`, { asked_by: trigger });
    this.#rejected = undefined;
    return { kind: "unchanged", version, needsRestart: this.#needsRestart };
  }

  #reject(problems: readonly Problem[], hash: string | undefined): ReloadResult {
    const version = this.#version;
    if (this.#rejected === undefined || this.#rejected.hash !== hash) {
      this.#rejected = { at: this.#wall(), problems, hash };
      this.#logRejection(problems);
    }
    return { kind: "rejected", version, problems };
  }

  #apply(valid: ConfigResult & { kind: "valid" }, hash: string | undefined, trigger: ReloadTrigger): ReloadResult {
    const { apply, describe, log, path } = this.#options;
    const changed = describe(this.#config, valid.config);
    let needsRestart: readonly string[];
    try {
      needsRestart = apply(valid.config);
    } catch (error) {
      // It passed every check, and still the gate cannot run on it: to whoever saved it that is a refusal like any other.
      return this.#reject([unapplied(path, error)], hash);
    }
    this.#config = valid.config;
    this.#hash = hash;
    this.#version += 1;
    this.#appliedAt = this.#wall();
    this.#appliedBy = trigger;
    this.#needsRestart = needsRestart;
    this.#rejected = undefined;
    const words = changed.length === 0 ? "nothing but comments or layout" : changed.join("; ");
    log.info(`applied version ${this.#version}: ${words}`, { asked_by: trigger });
    for (const change of needsRestart) log.warn(`waits for a restart: ${change}`);
    for (const warning of valid.warnings) log.warn(onOneLine(warning));
    return { kind: "applied", version: this.#version, changed, needsRestart };
  }

  #logRejection(problems: readonly Problem[]): void {
    const { log, path } = this.#options;
    const errors = problems.filter(({ severity }) => severity === "error");
    log.error(`${path} is refused: version ${this.#version} runs on`, { mistakes: errors.length });
    for (const problem of errors.slice(0, MOST_LOGGED)) log.error(onOneLine(problem));
  }

  #wall(): string {
    return new Date(this.#options.clock.wall()).toISOString();
  }
}

/** What makes a gate reload by itself, until it is closed. */
export interface Reloading {
  close(): void;
}

/** Reloads when the file changes and on SIGHUP. The one owner of the watch and of the signal's handler. */
export function startReloading(reloader: Reloader, { path, clock, log }: ReloaderOptions): Reloading {
  const reload = (trigger: ReloadTrigger): void => {
    reloader.reload(trigger).catch((error: unknown) => log.error("a reload failed", { error: stackOf(error) }));
  };
  const onSignal = (): void => reload("signal");
  // What was saved since the start, before anybody watched, is a change too.
  const watch = watchFile(path, { clock, log, hash: reloader.hash, onChange: () => reload("file") });
  process.on("SIGHUP", onSignal);
  return {
    close: () => {
      process.off("SIGHUP", onSignal);
      watch.close();
    },
  };
}

function unapplied(file: string, error: unknown): Problem {
  const why = error instanceof Error ? error.message : String(error);
  return { severity: "error", file, line: 0, column: 0, path: "", rule: `could not be applied: ${why}` };
}

/** Place, path and rule. The excerpt and the hint are in the status. */
function onOneLine({ excerpt: _excerpt, hint: _hint, ...problem }: Problem): string {
  return formatProblems([problem], { color: false });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
