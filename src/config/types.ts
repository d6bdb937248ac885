import type { Limits } from "../core/policy/limits.ts";
import type { AdmissionMode } from "../core/policy/types.ts";
import type { Bytes, EpochMs, Ms, Tokens } from "../core/units.ts";

/** What Headgate does at the backend when the client that asked goes away: cut the request, or read the answer to its end. */
export type OnClientDisconnect = "abort" | "drain";

/** The whole configuration, checked and complete: every default is filled in, durations are milliseconds, sizes are bytes. */
export interface Config {
  readonly server: ServerConfig;
  /** `undefined`: no admin listener. */
  readonly admin: AdminConfig | undefined;
  /** At least one. */
  readonly deployments: readonly DeploymentConfig[];
  /** Empty: the gate is open, and each remote address is a member of the pool. */
  readonly consumers: readonly ConsumerConfig[];
  /** What becomes of requests without a key, where there are consumers. `allow`: each remote address is a member of the pool. */
  readonly anonymous: "refuse" | "allow";
  readonly identity: IdentityConfig | undefined;
  readonly jwt: JwtConfig | undefined;
}

/** Where operators reach the gate. Never the clients' port. */
export interface AdminConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Present wherever `host` is not loopback. */
  readonly token?: string;
}

export type ConsumerKind = "user" | "group" | "deployment" | "agent";

/** Somebody who asks. */
export interface ConsumerConfig {
  readonly name: string;
  readonly kind: ConsumerKind;
  readonly enabled: boolean;
  /** Names of consumers of kind `group`, the most important first. Empty for a group. */
  readonly groups: readonly string[];
  /** Empty for a group. */
  readonly keys: readonly KeyConfig[];
}

/** One API key, of which only the digest is known. */
export interface KeyConfig {
  /** SHA-256 in hexadecimal, lower case. */
  readonly sha256: string;
  readonly expiresAt?: EpochMs;
}

/** A proxy in front of the gate says who asks. Its header is believed from these addresses and stripped from all others. */
export interface IdentityConfig {
  /** Lower case. */
  readonly header: string;
  /** CIDR blocks. At least one. */
  readonly trustedProxies: readonly string[];
}

/** Signed tokens in place of keys. */
export interface JwtConfig {
  readonly issuer: string;
  readonly audience: string;
  /** An `https:` URL (or `http:` on loopback), or the path of a file. */
  readonly jwks: string;
  /** The claim that names the consumer. Default `sub`. */
  readonly claim: string;
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
  /** `undefined`: nothing but seats is shared out. */
  readonly capacity: CapacityConfig | undefined;
  /** The default policy. */
  readonly limits: Limits;
  /** By name of consumer or group. */
  readonly exceptions: ReadonlyMap<string, Limits>;
  /** By name of consumer or group; above 0, at most 1 together. */
  readonly reservations: ReadonlyMap<string, number>;
  /** Names of the consumers and groups that may use it; `undefined` for all. */
  readonly allowed: ReadonlySet<string> | undefined;
  /** What becomes of a request over its share of the capacity. */
  readonly mode: AdmissionMode;
  /** In place of `mode`, by name of consumer or group. */
  readonly modes: ReadonlyMap<string, AdmissionMode>;
  /** When tokens are charged: from an estimate that is made true while the answer streams, or all at its end. */
  readonly charge: "estimate" | "on_completion";
  /** How input tokens are counted where the estimate is too close to a limit to decide. */
  readonly tokenizer: TokenizerName | undefined;
}

export type { AdmissionMode };

/** Encodings that are built in, or the backend's own `/tokenize`. */
export type TokenizerName = "o200k" | "o200k_harmony" | "cl100k" | "backend";

/** What a deployment can sustain. At least one of the two rates. Source: design of admission, sections 1.1 and 1.8. */
export interface CapacityConfig {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** The part of capacity below which nobody is restricted; above 0, at most 1. */
  readonly utilizationThreshold: number;
  /** What a share that was idle may take at once, in seconds of its own rate. */
  readonly burstSeconds: number;
  /** How long demand has to be above the threshold before shares are enforced, in seconds of capacity; 0 enforces at once. */
  readonly meterSeconds: number;
}

/** One server that answers for a deployment. */
export interface BackendConfig {
  /** As `URL` writes it: `http://127.0.0.1:8081/`, or with a path prefix that has no slash at its end. */
  readonly url: string;
  readonly apiKey?: string;
  /** Absent where only the deployment's own cap holds. */
  readonly maxConcurrent?: number;
  readonly onClientDisconnect: OnClientDisconnect;
  /** False where streams must not be asked to report their usage. */
  readonly askForUsage?: boolean;
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
