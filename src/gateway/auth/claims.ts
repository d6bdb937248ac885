/** Who a request says that it comes from, before anything of it is believed. */
export interface Claims {
  /** The key or token, without its scheme. */
  readonly credential: string | undefined;
  /** A credential header came twice, or two of them differ: which one counts would be a guess. */
  readonly isAmbiguous: boolean;
  /** What the identity header says. */
  readonly identity: string | undefined;
  readonly isIdentityRepeated: boolean;
}

const AUTHORIZATION = "authorization";
const X_API_KEY = "x-api-key";
const API_KEY = "api-key";

/**
 * Reads the credentials of a request from its headers as they came, flat: `IncomingMessage.headers` would hide that one
 * came twice. `identityHeader` is in lower case. A scheme other than `Bearer` is not for the gate, and is passed over.
 *
 * The same key in two headers is no contradiction: some clients send it wherever it might be looked for.
 */
export function claimsOf(rawHeaders: readonly string[], identityHeader: string | undefined): Claims {
  let authorization: string | undefined;
  let xApiKey: string | undefined;
  let apiKey: string | undefined;
  let identity: string | undefined;
  let isRepeated = false;
  let isIdentityRepeated = false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    // By length first: most names need not be put into lower case.
    if (name.length === identityHeader?.length && name.toLowerCase() === identityHeader) {
      isIdentityRepeated ||= identity !== undefined;
      identity = value;
    } else if (name.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION) {
      isRepeated ||= authorization !== undefined;
      authorization = value;
    } else if (name.length === X_API_KEY.length && name.toLowerCase() === X_API_KEY) {
      isRepeated ||= xApiKey !== undefined;
      xApiKey = value;
    } else if (name.length === API_KEY.length && name.toLowerCase() === API_KEY) {
      isRepeated ||= apiKey !== undefined;
      apiKey = value;
    }
  }
  const bearer = bearerOf(authorization);
  const first = bearer ?? filled(xApiKey) ?? filled(apiKey);
  const isAmbiguous = isRepeated || differs(filled(xApiKey), first) || differs(filled(apiKey), first);
  return { credential: first, isAmbiguous, identity, isIdentityRepeated };
}

/** RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1. */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  return filled(authorization.slice(7).trim());
}

function filled(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function differs(value: string | undefined, from: string | undefined): boolean {
  return value !== undefined && value !== from;
}
