import type { Bytes, Ms, Tokens } from "../core/units.ts";

/** What Headgate does at the backend when the client that asked goes away: cut the request, or read the answer to its end. */
export type OnClientDisconnect = "abort" | "drain";

/** The whole configuration, checked and complete: every default is filled in, durations are milliseconds, sizes are bytes. */
export interface Config {
  readonly server: ServerConfig;
  /** At least one. */
  readonly deployments: readonly DeploymentConfig[];
}

/** Where clients reach the gate. */
export interface ServerConfig {
  /** Name or address without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly maxBodyBytes: Bytes;
  readonly drainTimeoutMs: Ms;
}

/** One shared model endpoint. */
export interface DeploymentConfig {
  readonly name: string;
  /** At least one; `"*"` catches what no deployment names. */
  readonly models: readonly string[];
  /** At least one. */
  readonly backends: readonly BackendConfig[];
  readonly maxConcurrent: number;
  /** `Infinity` where tokens are not capped. */
  readonly maxInflightTokens: Tokens;
  /** `undefined` refuses whatever finds no free seat. */
  readonly queue: QueueConfig | undefined;
  readonly timeouts: TimeoutsConfig;
  readonly maxUnseated: number;
  readonly forwardClientCredentials: boolean;
}

/** One server that answers for a deployment. */
export interface BackendConfig {
  /** As `URL` writes it: `http://127.0.0.1:8081/`, or with a path prefix that has no slash at its end. */
  readonly url: string;
  readonly apiKey?: string;
  /** Absent where only the deployment's own cap holds. */
  readonly maxConcurrent?: number;
  readonly onClientDisconnect: OnClientDisconnect;
}

/** The bounds of a deployment's queue. */
export interface QueueConfig {
  readonly maxLength: number;
  readonly maxWaitMs: Ms;
  readonly maxBytes: Bytes;
}

/** How long a backend may be silent. */
export interface TimeoutsConfig {
  readonly connectMs: Ms;
  readonly firstByteMs: Ms;
  readonly idleMs: Ms;
}
