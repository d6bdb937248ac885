import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";

import type { JwtConfig } from "../../config/types.ts";
import type { Clock } from "../../contracts/clock.ts";
import { refusal } from "./answers.ts";
import type { Refused, Unavailable } from "./identification.ts";
import { BACKOFF_MS, KeysUnavailable } from "./issuer-keys.ts";

/** Signatures with a public key only. A shared secret (HS…) would let whoever can check a token make one; `none` is no signature. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** How far the clocks of issuer and gate may be apart. */
const CLOCK_TOLERANCE_S = 5;

/** Characters that a token may have. */
const MOST_TOKEN = 8_192;

const FORM = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/** Whether this has the form of a signed token (RFC 7515 §7.1). */
export function looksLikeToken(text: string): boolean {
  return text.length <= MOST_TOKEN && FORM.test(text);
}

/** What a token says. */
export type TokenReading = { readonly kind: "names"; readonly name: string } | Refused | Unavailable;

/**
 * Reads a token (RFC 7519): its signature, issuer, audience, `exp`, which it must have, and `nbf`. Then the claim is who it
 * names. Never rejects. Where the issuer's keys cannot be had the answer is `unavailable`, whatever the token.
 */
export async function readToken(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience, claim }: JwtConfig,
  clock: Clock,
): Promise<TokenReading> {
  const options: JWTVerifyOptions = {
    issuer,
    audience,
    algorithms: [...ALGORITHMS],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(clock.wall()),
    requiredClaims: ["exp"],
  };
  try {
    return nameIn((await jwtVerify(token, keys, options)).payload, claim);
  } catch (error) {
    return problemWith(error);
  }
}

function nameIn(payload: JWTPayload, claim: string): TokenReading {
  const name = Object.hasOwn(payload, claim) ? payload[claim] : undefined;
  if (typeof name === "string" && name !== "") return { kind: "names", name };
  return refusal(
    "unknown",
    `the token has no text in its claim ${JSON.stringify(claim)}, where it should name a consumer`,
  );
}

/** Says which check failed; nothing that the token holds. */
function problemWith(error: unknown): Refused | Unavailable {
  // What nobody foresaw lets nobody in, and is not held against the caller.
  if (error instanceof KeysUnavailable || !(error instanceof errors.JOSEError)) {
    return { kind: "unavailable", retryAfterMs: BACKOFF_MS };
  }
  if (error instanceof errors.JWTExpired) return refusal("expired", "the token has expired");
  return refusal("untrusted", `the token is not believed: ${ruleOf(error)}`);
}

function ruleOf(error: errors.JOSEError): string {
  const rule = error instanceof errors.JWTClaimValidationFailed ? CLAIM_RULES.get(error.claim) : RULES.get(error.code);
  return rule ?? "it is not a well-formed token";
}

const RULES: ReadonlyMap<string, string> = new Map([
  [errors.JOSEAlgNotAllowed.code, "it is signed in a way that is not accepted"],
  [errors.JWKSNoMatchingKey.code, "it names none of the issuer's keys"],
  [errors.JWKSMultipleMatchingKeys.code, "it does not say which of the issuer's keys signed it"],
  [errors.JWSSignatureVerificationFailed.code, "its signature is wrong"],
]);

const CLAIM_RULES: ReadonlyMap<string, string> = new Map([
  ["iss", "another issuer made it"],
  ["aud", "it is meant for another audience"],
  ["exp", "it does not say when it expires"],
  ["nbf", "it is not valid yet"],
]);
