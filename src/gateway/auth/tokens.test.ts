import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type GenerateKeyPairResult,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { JwtConfig } from "../../config/types.ts";
import type { Log } from "../../contracts/log.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { refusalError } from "./answers.ts";
import { type AuthConfig, Authenticator } from "./authenticator.ts";
import type { Identified } from "./identification.ts";

const ALGORITHMS = ["RS256", "PS384", "ES256", "ES512", "EdDSA"] as const;
const ISSUER = "https://login.example.org";
const ALICE = { kind: "known", consumer: { name: "alice", kind: "user", groups: [] } };

/** What differs from a good token; `undefined` leaves a claim out. */
type Claims = Readonly<Record<string, unknown>>;

const keys = new Map<string, GenerateKeyPairResult>();
let published: object;

/** A server of keys on loopback, with a switch to break it. */
interface IssuerSite {
  readonly url: string;
  readonly paths: string[];
  status: number;
  body: string;
  readonly close: () => Promise<void>;
}

let issuer: IssuerSite;
let clock: VirtualClock;
let logged: string[];

beforeAll(async () => {
  for (const alg of ALGORITHMS) keys.set(alg, await generateKeyPair(alg, { extractable: true }));
  const entries = await Promise.all(
    [...keys].map(async ([alg, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid: alg, alg, use: "sig" })),
  );
  published = { keys: entries };
});

beforeEach(async () => {
  clock = new VirtualClock();
  logged = [];
  issuer = await startIssuer(JSON.stringify(published));
});

afterEach(async () => {
  vi.useRealTimers();
  await issuer.close();
});

describe("a signed token", () => {
  it.each(ALGORITHMS)("with a signature by %s says who asks", async (alg) => {
    expect(await ask(desk(), await sign({}, { alg }))).toEqual(ALICE);
  });

  it("is taken from every header for keys, and may be longer than a key", async () => {
    const token = await sign({ padding: "x".repeat(4_000) });
    const authenticator = desk();
    expect(await settle(authenticator, ["x-api-key", token])).toEqual(ALICE);
    expect(await settle(authenticator, ["authorization", `bearer ${token}`])).toEqual(ALICE);
  });

  it("above 8 KiB is refused before anybody looks at it", async () => {
    const token = await sign({ padding: "x".repeat(6_200) });
    expect(token.length).toBeGreaterThan(8_192);
    expect(await ask(desk(), token)).toMatchObject({ kind: "refused", why: "oversized" });
    expect(issuer.paths).toEqual([]);
  });

  it("names its consumer in the claim that is configured", async () => {
    const authenticator = desk({ claim: "team" });
    expect(await ask(authenticator, await sign({ sub: "x", team: "alice" }))).toEqual(ALICE);
    expect(await ask(authenticator, await sign({ team: ["alice"] }))).toMatchObject({ why: "unknown" });
    expect(await ask(authenticator, await sign({}))).toMatchObject({ why: "unknown" });
    expect(await ask(desk({ claim: "__proto__" }), await sign({}))).toMatchObject({ why: "unknown" });
  });

  it.each([
    ["unknown", "mallory"],
    ["unknown", "research"],
    ["unknown", ""],
    ["disabled", "carol"],
  ])("is refused as %s where it names %j", async (why, sub) => {
    expect(await ask(desk(), await sign({ sub }))).toMatchObject({ kind: "refused", why });
  });

  it("is good from nbf until exp, give or take five seconds", async () => {
    const start = Math.floor(clock.wall() / 1_000);
    const token = await sign({ nbf: start + 60, exp: start + 120 });
    const authenticator = desk();
    expect(await ask(authenticator, token)).toMatchObject({
      why: "untrusted",
      message: expect.stringContaining("not valid yet"),
    });
    clock.advance(55_000);
    expect(await ask(authenticator, token)).toEqual(ALICE);
    clock.advance(69_000);
    expect(await ask(authenticator, token)).toEqual(ALICE);
    clock.advance(1_000);
    expect(await ask(authenticator, token)).toMatchObject({ kind: "refused", why: "expired" });
  });

  it.each<[string, Claims, string]>([
    ["another audience", { aud: "payroll" }, "another audience"],
    ["no audience", { aud: undefined }, "another audience"],
    ["another issuer", { iss: "https://evil.example.org" }, "another issuer"],
    ["no expiry", { exp: undefined }, "when it expires"],
  ])("with %s is refused", async (_, claims, rule) => {
    const answer = await ask(desk(), await sign(claims));
    expect(answer).toMatchObject({ kind: "refused", why: "untrusted", message: expect.stringContaining(rule) });
  });
});

describe("a forged token", () => {
  const refused = { kind: "refused", why: "untrusted" };

  it("without a signature is refused", async () => {
    const token = new UnsecuredJWT({ sub: "alice" }).setIssuer(ISSUER).setAudience("headgate").setExpirationTime("1h");
    expect(await ask(desk(), token.encode())).toMatchObject(refused);
    const [, payload] = (await sign({})).split(".");
    for (const alg of ["none", "None", "NONE", ""]) {
      expect(await ask(desk(), `${base64url({ alg, kid: "RS256" })}.${payload}.`)).toMatchObject(refused);
    }
  });

  it.each(["HS256", "HS384", "HS512"])("with the public key as the secret of %s is refused", async (alg) => {
    const pem = await exportSPKI(pairOf("RS256").publicKey);
    for (const kid of ["RS256", undefined]) {
      const header = { alg, ...(kid !== undefined && { kid }) };
      const token = await tokenOf({}).setProtectedHeader(header).sign(new TextEncoder().encode(pem));
      expect(await ask(desk(), token)).toMatchObject(refused);
    }
  });

  it("that brings its own key is refused", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const kid of ["ES256", "own", undefined]) {
      const header = { alg: "ES256", jwk, jku: `${issuer.url}/own`, ...(kid !== undefined && { kid }) };
      expect(await ask(desk(), await tokenOf({}).setProtectedHeader(header).sign(privateKey))).toMatchObject(refused);
    }
    expect(new Set(issuer.paths)).toEqual(new Set(["/keys"]));
  });

  it("with an unknown kid is refused, and the issuer is not asked again for a while", async () => {
    const authenticator = desk();
    for (let count = 0; count < 5; count++) {
      const token = await sign({}, { alg: "RS256", kid: `unknown-${count}` });
      expect(await ask(authenticator, token)).toMatchObject(refused);
    }
    expect(issuer.paths).toEqual(["/keys"]);
  });

  it("with one character changed anywhere is refused", async () => {
    const authenticator = desk();
    const token = await sign({}, { alg: "ES256" });
    for (let place = 3; place < token.length; place += 7) {
      const changed = token.slice(0, place) + (token[place] === "A" ? "B" : "A") + token.slice(place + 1);
      clock.advance(6_000);
      expect((await ask(authenticator, changed)).kind).toBe("refused");
    }
  });

  it("is counted, and a good token still gets in", async () => {
    const authenticator = desk();
    const forged = `${(await sign({})).slice(0, -8)}AAAAAAAA`;
    for (let count = 0; count < 10; count++) expect((await ask(authenticator, forged)).kind).toBe("refused");
    expect((await ask(authenticator, forged)).kind).toBe("throttled");
    expect(await ask(authenticator, await sign({}))).toEqual(ALICE);
  });
});

describe("an issuer that does not give its keys", () => {
  it.each([
    ["answers 500", 500, "{}"],
    ["answers nonsense", 200, "<html>"],
    ["answers something else", 200, '{"keys":"none"}'],
    ["sends on to elsewhere", 302, "{}"],
  ])("lets nobody in: it %s", async (_, status, body) => {
    Object.assign(issuer, { status, body });
    const answer = await ask(desk(), await sign({}));
    expect(answer).toEqual({ kind: "unavailable", retryAfterMs: 1_000 });
    expect(issuer.paths).toEqual(["/keys"]);
  });

  it("lets nobody in where nothing listens, and says so to the client and once to the log", async () => {
    await issuer.close();
    const authenticator = desk();
    for (let count = 0; count < 3; count++) {
      const answer = await ask(authenticator, await sign({}));
      expect(answer.kind === "unavailable" && refusalError(answer)).toMatchObject({ status: 503, retryAfterMs: 1_000 });
      clock.advance(1_000);
    }
    expect(logged).toEqual([expect.stringContaining("cannot be had")]);
  });

  it("is asked once a second at the most, and lets in again when it answers", async () => {
    issuer.status = 500;
    const authenticator = desk();
    const token = await sign({});
    for (let count = 0; count < 5; count++) expect((await ask(authenticator, token)).kind).toBe("unavailable");
    expect(issuer.paths).toHaveLength(1);
    issuer.status = 200;
    clock.advance(999);
    expect((await ask(authenticator, token)).kind).toBe("unavailable");
    clock.advance(1);
    expect(await ask(authenticator, token)).toEqual(ALICE);
    expect(issuer.paths).toHaveLength(2);
    expect(logged).toHaveLength(2);
  });

  it("is asked once for all who wait for it together", async () => {
    const authenticator = desk();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => sign({})));
    const answers = await Promise.all(tokens.map((token) => ask(authenticator, token)));
    expect(answers).toEqual(Array.from({ length: 20 }, () => ALICE));
    expect(issuer.paths).toHaveLength(1);
  });

  it("does not matter to keys that were fetched before, nor to API keys", async () => {
    const authenticator = desk();
    const token = await sign({});
    expect(await ask(authenticator, token)).toEqual(ALICE);
    issuer.status = 500;
    expect(await ask(authenticator, token)).toEqual(ALICE);
    expect(await ask(authenticator, "sk-123")).toMatchObject({ why: "unknown" });
  });
});

/** The age of fetched keys is a matter of the library, which reads the system's clock. */
describe("keys that were fetched", () => {
  function letAge(duration: number): void {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + duration });
  }

  it("are fetched again for an unknown kid, after half a minute", async () => {
    const authenticator = desk();
    expect(await ask(authenticator, await sign({}))).toEqual(ALICE);
    issuer.body = JSON.stringify(published).replace('"kid":"RS256"', '"kid":"new"');
    letAge(31_000);
    expect(await ask(authenticator, await sign({}, { alg: "RS256", kid: "new" }))).toEqual(ALICE);
    expect(await ask(authenticator, await sign({}))).toMatchObject({ why: "untrusted" });
  });

  it("serve good tokens while unknown ones make the gate ask an issuer that is down", async () => {
    const authenticator = desk();
    expect(await ask(authenticator, await sign({}))).toEqual(ALICE);
    issuer.status = 500;
    letAge(31_000);
    const unknown = await sign({}, { alg: "RS256", kid: "unknown" });
    expect((await ask(authenticator, unknown)).kind).toBe("unavailable");
    expect(await ask(authenticator, await sign({}))).toEqual(ALICE);
    expect(await ask(authenticator, unknown)).toMatchObject({ why: "untrusted" });
    expect(issuer.paths).toHaveLength(2);
  });

  it("are believed for ten minutes", async () => {
    const authenticator = desk();
    expect(await ask(authenticator, await sign({}))).toEqual(ALICE);
    issuer.status = 500;
    letAge(599_000);
    expect(await ask(authenticator, await sign({}))).toEqual(ALICE);
    letAge(2_000);
    expect((await ask(authenticator, await sign({}))).kind).toBe("unavailable");
  });
});

describe("a new configuration", () => {
  it("keeps what was fetched from the same URL", async () => {
    const authenticator = desk();
    await ask(authenticator, await sign({}));
    authenticator.reconfigure(config({ audience: "other" }));
    expect(await ask(authenticator, await sign({ aud: "other" }))).toEqual(ALICE);
    expect(issuer.paths).toHaveLength(1);
  });

  it("reads a file of keys again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "headgate-auth-"));
    const jwks = join(folder, "keys.json");
    const other = await generateKeyPair("ES256");
    const entry = { ...(await exportJWK(other.publicKey)), kid: "ES256" };
    writeFileSync(jwks, JSON.stringify(published));
    const authenticator = desk({ jwks });
    const token = await sign({}, { alg: "ES256" });
    expect(await ask(authenticator, token)).toEqual(ALICE);
    writeFileSync(jwks, JSON.stringify({ keys: [entry] }));
    expect(await ask(authenticator, token)).toEqual(ALICE);
    authenticator.reconfigure(config({ jwks }));
    expect(await ask(authenticator, token)).toMatchObject({ kind: "refused", why: "untrusted" });
    rmSync(folder, { recursive: true });
  });

  describe("with a file that holds no public keys is refused", () => {
    const folder = mkdtempSync(join(tmpdir(), "headgate-auth-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    it.each([
      "",
      "{}",
      '{"keys":[]}',
      '{"keys":[{}]}',
      '{"keys":[{"kty":"oct","k":"AA"}]}',
      '{"keys":[{"kty":"EC","d":"AA"}]}',
    ])("%s", (text) => {
      const jwks = join(folder, "keys.json");
      writeFileSync(jwks, text);
      expect(() => desk({ jwks })).toThrow(jwks);
    });
  });
});

function config(jwt: Partial<JwtConfig> = {}): AuthConfig {
  return {
    consumers: [
      { name: "research", kind: "group", enabled: true, groups: [], keys: [] },
      { name: "alice", kind: "user", enabled: true, groups: [], keys: [] },
      { name: "carol", kind: "user", enabled: false, groups: [], keys: [] },
    ],
    anonymous: "refuse",
    identity: undefined,
    jwt: { issuer: ISSUER, audience: "headgate", jwks: `${issuer.url}/keys`, claim: "sub", ...jwt },
  };
}

function desk(jwt: Partial<JwtConfig> = {}): Authenticator {
  const note = (message: string): void => void logged.push(message);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  return new Authenticator(config(jwt), clock, log);
}

function ask(authenticator: Authenticator, token: string): Promise<Identified> {
  return settle(authenticator, ["Authorization", `Bearer ${token}`]);
}

async function settle(authenticator: Authenticator, headers: readonly string[]): Promise<Identified> {
  const answer = authenticator.authenticate(headers, "192.0.2.7");
  return answer.kind === "pending" ? answer.result : answer;
}

function pairOf(alg: string): GenerateKeyPairResult {
  const pair = keys.get(alg);
  if (pair === undefined) throw new Error(`no keys for ${alg}`);
  return pair;
}

function tokenOf(claims: Claims): SignJWT {
  const exp = Math.floor(clock.wall() / 1_000) + 3_600;
  return new SignJWT({ iss: ISSUER, aud: "headgate", sub: "alice", exp, ...claims });
}

function sign(claims: Claims, header: JWTHeaderParameters = { alg: "RS256" }): Promise<string> {
  return tokenOf(claims)
    .setProtectedHeader({ kid: header.alg, ...header })
    .sign(pairOf(header.alg).privateKey);
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function startIssuer(body: string): Promise<IssuerSite> {
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? "");
    response.writeHead(site.status, { "content-type": "application/json", location: "/elsewhere" }).end(site.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const site: IssuerSite = { url: `http://127.0.0.1:${port}`, paths, status: 200, body, close };
  return site;
}
