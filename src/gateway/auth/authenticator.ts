import type { JWTVerifyGetKey } from "jose";

import type { Config, JwtConfig } from "../../config/types.ts";
import type { Clock } from "../../contracts/clock.ts";
import type { Log } from "../../contracts/log.ts";
import { memberOfAddress } from "../http/address.ts";
import * as answers from "./answers.ts";
import { type Claims, claimsOf } from "./claims.ts";
import { Directory } from "./directory.ts";
import { Failures } from "./failures.ts";
import type { Caller, Identification, Identified, Refused } from "./identification.ts";
import { issuerKeys, isUrl } from "./issuer-keys.ts";
import { isMistypedKey } from "./key.ts";
import { looksLikeToken, readToken } from "./tokens.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

/** The part of the configuration that says who may ask. */
export type AuthConfig = Pick<Config, "consumers" | "anonymous" | "identity" | "jwt">;

/** Characters that a key may have. */
const MOST_KEY = 512;

const IDENTITY_HEADER = "x-consumer";

/** Everything that one configuration settles, swapped as a whole. */
interface Rules {
  /** No consumers: everybody may ask. */
  readonly isOpen: boolean;
  readonly anonymous: "refuse" | "allow";
  readonly directory: Directory;
  readonly identity: { readonly header: string; readonly proxies: TrustedProxies } | undefined;
  readonly jwt: TokenRules | undefined;
}

interface TokenRules {
  readonly config: JwtConfig;
  readonly keys: JWTVerifyGetKey;
}

/**
 * Says who asks, from the headers alone, before anything of the body is read.
 *
 * The law:
 * 1. Without consumers everybody is anonymous.
 * 2. What a trusted proxy says in the identity header counts, and its credentials are not looked at. From anybody else the
 *    header counts for nothing.
 * 3. A good key or token is let in, whatever else came from its address. One that is no good is refused, never anonymous.
 * 4. No key: anonymous if that is allowed, else refused.
 * 5. No answer holds any part of what the client sent.
 * 6. Credentials that are no good are counted by address; see `Failures`. To have none, or one that is known and has
 *    expired or was switched off, is no attempt to guess and is not counted.
 *
 * Nothing is remembered of good keys: their digest is computed each time, which costs less than a microsecond.
 */
export class Authenticator {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failures = new Failures();
  #rules: Rules;

  /** Throws an `Error` that says which setting is wrong: a proxy that is no CIDR block, a file of keys that cannot be read. */
  constructor(config: AuthConfig, clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#rules = this.#rulesOf(config, undefined);
  }

  /**
   * Puts another configuration in force, all at once. Requests that are being identified end by the old one. Failures stay
   * remembered; keys of issuers stay if their URL does; a file of keys is read again. Throws as the constructor does, and
   * then nothing has changed.
   */
  reconfigure(config: AuthConfig): void {
    this.#rules = this.#rulesOf(config, this.#rules.jwt);
  }

  /**
   * The header, in lower case, that may name a consumer. It must be taken out of every request to a backend, whoever sent
   * it: a backend may believe it too. `x-consumer` where none is configured.
   */
  get identityHeader(): string {
    return this.#rules.identity?.header ?? IDENTITY_HEADER;
  }

  /**
   * Who sends a request with these headers (flat, as they came: `rawHeaders`) over a socket with this peer. At once for all
   * but signed tokens.
   */
  authenticate(rawHeaders: readonly string[], remoteAddress: string | undefined): Identification {
    const rules = this.#rules;
    if (rules.isOpen) return answers.ANONYMOUS;
    const claims = claimsOf(rawHeaders, rules.identity?.header);
    if (claims.identity !== undefined && rules.identity?.proxies.has(remoteAddress) === true) {
      return byProxy(claims, claims.identity, rules);
    }
    if (claims.isAmbiguous) return this.#failed(answers.DUPLICATE, remoteAddress);
    const { credential } = claims;
    if (credential !== undefined) return this.#byCredential(credential, rules, remoteAddress);
    if (rules.anonymous === "allow") return answers.ANONYMOUS;
    return claims.identity === undefined ? answers.MISSING : answers.UNTRUSTED_HEADER;
  }

  /** The same consumer as the configuration has it now; as it was, where it is gone or switched off. */
  current(caller: Caller): Caller {
    const found = this.#rules.directory.findName(caller.name);
    return found?.kind === "known" ? found.consumer : caller;
  }

  #byCredential(credential: string, rules: Rules, remoteAddress: string | undefined): Identification {
    const isKey = credential.length <= MOST_KEY;
    const entry = isKey ? rules.directory.findKey(credential) : undefined;
    if (entry !== undefined) {
      const isOver = entry.expiresAt !== Infinity && entry.expiresAt <= this.#clock.wall();
      return isOver ? answers.EXPIRED_KEY : entry.holder;
    }
    const { jwt } = rules;
    if (jwt !== undefined && looksLikeToken(credential)) {
      return { kind: "pending", result: this.#byToken(credential, jwt, rules.directory, remoteAddress) };
    }
    if (!isKey) return this.#failed(answers.OVERSIZED, remoteAddress);
    return this.#failed(isMistypedKey(credential) ? answers.MISTYPED : answers.UNKNOWN_KEY, remoteAddress);
  }

  async #byToken(
    token: string,
    jwt: TokenRules,
    directory: Directory,
    remoteAddress: string | undefined,
  ): Promise<Identified> {
    const reading = await readToken(token, jwt.keys, jwt.config, this.#clock);
    switch (reading.kind) {
      case "names":
        return directory.findName(reading.name) ?? answers.UNKNOWN_SUBJECT;
      case "unavailable":
        return reading;
      case "refused":
        return reading.why === "untrusted" ? this.#failed(reading, remoteAddress) : reading;
    }
  }

  #failed(refused: Refused, remoteAddress: string | undefined): Identified {
    const retryAfterMs = this.#failures.note(memberOfAddress(remoteAddress), this.#clock.now());
    return retryAfterMs === 0 ? refused : { kind: "throttled", retryAfterMs };
  }

  #rulesOf({ consumers, anonymous, identity, jwt }: AuthConfig, before: TokenRules | undefined): Rules {
    return {
      isOpen: consumers.length === 0,
      anonymous,
      directory: new Directory(consumers),
      identity: identity && { header: identity.header, proxies: new TrustedProxies(identity.trustedProxies) },
      jwt: jwt && { config: jwt, keys: this.#keysFor(jwt, before) },
    };
  }

  /** What was fetched from a URL stays good over a new configuration. */
  #keysFor({ jwks }: JwtConfig, before: TokenRules | undefined): JWTVerifyGetKey {
    if (before?.config.jwks === jwks && isUrl(jwks)) return before.keys;
    return issuerKeys(jwks, this.#clock, this.#log);
  }
}

function byProxy(claims: Claims, name: string, { directory }: Rules): Identified {
  if (claims.isIdentityRepeated) return answers.REPEATED_IDENTITY;
  return directory.findName(name) ?? answers.UNKNOWN_IDENTITY;
}
