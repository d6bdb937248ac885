import type { Problem } from "../../config/problem.ts";
import type { ProxyStats } from "../stats.ts";
import type { ConsumerReport, ConsumerSummary } from "./consumers.ts";

/** What the admin pages are read from. The listener holds no state of the gate's own. */
export interface AdminSource {
  readonly gate: GateSource;
  readonly configuration: ConfigurationSource;
}

/** The traffic, at the moment it is asked for. */
export interface GateSource {
  stats(): ProxyStats;
  /** Every consumer that is configured, in the order of the file. */
  consumers(): readonly ConsumerSummary[];
  /** `undefined`: there is no such consumer. */
  consumer(name: string): ConsumerReport | undefined;
}

/** The file that the gate runs on. */
export interface ConfigurationSource {
  status(): ConfigurationStatus;
  /** Reads the file now. Resolves also where it is refused; rejects only for what is broken. */
  reload(trigger: ReloadTrigger): Promise<ReloadResult>;
}

/** Who asked for a reload: the file was saved, SIGHUP came, or somebody called the admin listener. */
export type ReloadTrigger = "file" | "signal" | "admin";

/** What became of a reload. Nothing of a rejected file is applied; `version` is the one that runs now. */
export type ReloadResult =
  | {
      readonly kind: "applied";
      readonly version: number;
      /** In words, one change each. */
      readonly changed: readonly string[];
      /** In words: what of it waits for a restart. */
      readonly needsRestart: readonly string[];
    }
  | { readonly kind: "unchanged"; readonly version: number; readonly needsRestart: readonly string[] }
  | { readonly kind: "rejected"; readonly version: number; readonly problems: readonly Problem[] };

/** `configuration` of `GET /api/v1/status`. */
export interface ConfigurationStatus {
  readonly file: string;
  /** 1 at the start, one more each time that a file was applied. */
  readonly version: number;
  /** The first 12 digits of the file's SHA-256; null where it was read from a pipe. */
  readonly hash: string | null;
  /** ISO 8601, UTC. */
  readonly applied_at: string;
  readonly applied_by: "start" | ReloadTrigger;
  /** In words: what of the file waits for a restart. */
  readonly needs_restart: readonly string[];
  /** Why the file as it stands now does not run; null where it does. */
  readonly rejected: RejectedFile | null;
}

/** A file that was refused. The version before it runs on. */
export interface RejectedFile {
  /** When it was first refused. ISO 8601, UTC. */
  readonly at: string;
  readonly problems: readonly Problem[];
}
