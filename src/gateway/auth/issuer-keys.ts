import { readFileSync } from "node:fs";

import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type CryptoKey,
  type JWTVerifyGetKey,
  type LocalJWKSet,
  type RemoteJWKSet,
} from "jose";

import type { Clock } from "../../contracts/clock.ts";
import type { Log } from "../../contracts/log.ts";
import type { Ms } from "../../core/units.ts";

/** How old the keys may get. One that the issuer has withdrawn is believed no longer than this. */
const FRESH_FOR_MS: Ms = 600_000;
/** After a fetch, tokens with unknown keys cause no other for so long, or anybody could make the gate knock at the issuer. */
const COOLDOWN_MS: Ms = 30_000;
const FETCH_TIMEOUT_MS: Ms = 5_000;
/** How long a fetch that failed is not repeated. */
export const BACKOFF_MS: Ms = 1_000;

/** The keys of the issuer cannot be had, so that nothing can be said about a token. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/**
 * Where the keys that tokens are signed with come from: a URL, fetched when it is needed and at most 10 minutes old, or a
 * file, read once. Only the configuration names either. Redirects are not followed.
 *
 * Throws an `Error` that names the file if it cannot be read or holds no JSON Web Key Set (RFC 7517 §5).
 */
export function issuerKeys(jwks: string, clock: Clock, log: Log): JWTVerifyGetKey {
  return isUrl(jwks) ? remoteKeys(new URL(jwks), clock, log) : localKeys(jwks);
}

/** Whether the keys are fetched; else they are read from a file. */
export function isUrl(jwks: string): boolean {
  return /^https?:\/\//i.test(jwks);
}

function localKeys(path: string): JWTVerifyGetKey {
  const keys = createLocalJWKSet(readKeySet(path));
  return (header, token) => pick(keys, header, token);
}

function remoteKeys(url: URL, clock: Clock, log: Log): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: FRESH_FOR_MS,
    cooldownDuration: COOLDOWN_MS,
    timeoutDuration: FETCH_TIMEOUT_MS,
  });
  const place = url.origin + url.pathname;
  let outage: Outage | undefined;
  return async (header, token) => {
    if (outage !== undefined && clock.now() < outage.until) return pick(outage.keys, header, token);
    try {
      const key = await remote(header, token);
      if (outage !== undefined) log.info("the keys of the issuer of tokens are there again", { url: place });
      outage = undefined;
      return key;
    } catch (error) {
      if (isNoMatch(error)) throw error;
      if (outage === undefined) {
        log.warn("the keys of the issuer of tokens cannot be had", { url: place, reason: say(error) });
      }
      outage = { until: clock.now() + BACKOFF_MS, keys: freshKeys(remote) };
      throw new KeysUnavailable("the keys cannot be fetched", { cause: error });
    }
  };
}

/** After a fetch that failed. */
interface Outage {
  readonly until: Ms;
  /** What was fetched before, and serves the tokens that it fits: others may have caused the fetch. */
  readonly keys: LocalJWKSet | undefined;
}

function freshKeys(remote: RemoteJWKSet): LocalJWKSet | undefined {
  const keys = remote.fresh ? remote.jwks() : undefined;
  return keys && createLocalJWKSet(keys);
}

/** The keys are there and none fits, which is the token's fault. Everything else is not. */
function isNoMatch(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}

async function pick(keys: LocalJWKSet | undefined, ...token: Parameters<LocalJWKSet>): Promise<CryptoKey> {
  if (keys === undefined) throw new KeysUnavailable("the last fetch has failed");
  try {
    return await keys(...token);
  } catch (error) {
    if (isNoMatch(error)) throw error;
    throw new KeysUnavailable("a key of the issuer cannot be used", { cause: error });
  }
}

function readKeySet(path: string): JSONWebKeySet {
  const problem = (rule: string, cause?: unknown): Error =>
    new Error(`jwt.jwks: ${JSON.stringify(path)} ${rule}`, { cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw problem(error instanceof SyntaxError ? "is not JSON" : `cannot be read (${say(error)})`, error);
  }
  if (!isKeySet(parsed)) throw problem("holds no JSON Web Key Set with public keys");
  return parsed;
}

/** Public keys only: a file with private or shared keys is the wrong file. */
function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== "object" || value === null || !("keys" in value) || !Array.isArray(value.keys)) return false;
  const keys: readonly unknown[] = value.keys;
  return keys.length > 0 && keys.every(isPublicKey);
}

function isPublicKey(key: unknown): boolean {
  if (typeof key !== "object" || key === null || !("kty" in key)) return false;
  return typeof key.kty === "string" && key.kty !== "oct" && !("d" in key);
}

function say(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
