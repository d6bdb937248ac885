import { randomBytes } from "node:crypto";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ConsumerConfig } from "../../config/types.ts";
import { SILENT_LOG } from "../../contracts/log.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { refusalError } from "./answers.ts";
import { type AuthConfig, Authenticator } from "./authenticator.ts";
import type { Identification, Identified } from "./identification.ts";
import { digestOf, newKey } from "./key.ts";

const KEY = newKey(randomBytes);
const STALE_KEY = newKey(randomBytes);
const OFF_KEY = newKey(randomBytes);
const DAY = 86_400_000;
const ADDRESS = "192.0.2.7";

function consumer(name: string, key: string, more: Partial<ConsumerConfig> = {}): ConsumerConfig {
  return { name, kind: "agent", enabled: true, groups: [], keys: [{ sha256: digestOf(key) }], ...more };
}

function config(more: Partial<AuthConfig> = {}): AuthConfig {
  return {
    consumers: [
      { name: "research", kind: "group", enabled: true, groups: [], keys: [] },
      consumer("alice", KEY, { groups: ["research"] }),
      consumer("bob", STALE_KEY, {
        keys: [{ sha256: digestOf(STALE_KEY), expiresAt: new VirtualClock().wall() + DAY }],
      }),
      consumer("carol", OFF_KEY, { enabled: false }),
    ],
    anonymous: "refuse",
    identity: undefined,
    jwt: undefined,
    ...more,
  };
}

const BEHIND_PROXY: Partial<AuthConfig> = { identity: { header: "x-team", trustedProxies: ["10.0.0.0/8"] } };
const ALICE = { kind: "known", consumer: { name: "alice", kind: "agent", groups: ["research"] } };

interface Desk {
  readonly clock: VirtualClock;
  readonly authenticator: Authenticator;
  readonly ask: (headers: readonly string[], address?: string) => Identification;
}

function desk(more: Partial<AuthConfig> = {}): Desk {
  const clock = new VirtualClock();
  const authenticator = new Authenticator(config(more), clock, SILENT_LOG);
  return { clock, authenticator, ask: (headers, address = ADDRESS) => authenticator.authenticate(headers, address) };
}

function bearer(key: string): readonly string[] {
  return ["Authorization", `Bearer ${key}`];
}

describe("without consumers", () => {
  it.each([[[]], [bearer("whatever")], [["x-api-key", "a", "api-key", "b"]]])(
    "everybody is anonymous: %j",
    (headers) => {
      expect(desk({ consumers: [] }).ask(headers)).toEqual({ kind: "anonymous" });
    },
  );
});

describe("a key", () => {
  it.each([[bearer(KEY)], [["x-api-key", KEY]], [["API-Key", KEY]], [["x-api-key", KEY, ...bearer(KEY)]]])(
    "says who asks: %j",
    (headers) => {
      expect(desk().ask(headers)).toEqual(ALICE);
    },
  );

  it("gives the same object each time, so that a request costs none", () => {
    const { ask } = desk();
    expect(ask(bearer(KEY))).toBe(ask(["x-api-key", KEY]));
  });

  it("is good until the moment it expires", () => {
    const { ask, clock } = desk();
    clock.advance(DAY - 1);
    expect(ask(bearer(STALE_KEY)).kind).toBe("known");
    clock.advance(1);
    expect(ask(bearer(STALE_KEY))).toMatchObject({ kind: "refused", why: "expired" });
  });

  const mistyped = `${KEY.slice(0, -1)}${KEY.endsWith("a") ? "b" : "a"}`;
  it.each([
    ["missing", []],
    ["missing", ["authorization", "Basic YWxpY2U6eA=="]],
    ["unknown", bearer(newKey(randomBytes))],
    ["unknown", bearer("sk-123")],
    ["unknown", bearer(digestOf(KEY))],
    ["mistyped", bearer(mistyped)],
    ["disabled", bearer(OFF_KEY)],
    ["duplicate", [...bearer(KEY), "x-api-key", OFF_KEY]],
    ["duplicate", ["x-api-key", KEY, "x-api-key", KEY]],
    ["oversized", bearer("x".repeat(513))],
    ["unknown", bearer("x".repeat(512))],
  ])("that is %s is refused: %j", (why, headers) => {
    expect(desk().ask(headers)).toMatchObject({ kind: "refused", why });
  });

  it("is never a token where none are configured", () => {
    expect(desk().ask(bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."))).toMatchObject({ why: "unknown" });
  });
});

describe("with anonymous: allow", () => {
  const { ask } = desk({ anonymous: "allow" });

  it("nobody needs a key", () => {
    expect(ask([])).toEqual({ kind: "anonymous" });
  });

  it("a key that is no good is refused all the same", () => {
    expect(ask(bearer("sk-123"))).toMatchObject({ kind: "refused", why: "unknown" });
    expect(ask(bearer(OFF_KEY))).toMatchObject({ kind: "refused", why: "disabled" });
  });
});

describe("a proxy in front", () => {
  const { ask, authenticator } = desk(BEHIND_PROXY);

  it.each(["10.1.2.3", "::ffff:10.1.2.3"])("says who asks from %s, whatever key comes along", (address) => {
    expect(ask(["X-Team", "alice"], address)).toEqual(ALICE);
    expect(ask(["x-team", "alice", ...bearer("sk-123")], address)).toEqual(ALICE);
  });

  it("is not believed from elsewhere", () => {
    expect(ask(["x-team", "alice"])).toMatchObject({ kind: "refused", why: "untrusted" });
    expect(ask(["x-team", "alice"], "::ffff:11.0.0.1")).toMatchObject({ kind: "refused", why: "untrusted" });
    expect(authenticator.authenticate(["x-team", "alice"], undefined)).toMatchObject({ why: "untrusted" });
    expect(ask(["x-team", "carol", ...bearer(KEY)])).toEqual(ALICE);
    expect(desk({ ...BEHIND_PROXY, anonymous: "allow" }).ask(["x-team", "alice"])).toEqual({ kind: "anonymous" });
  });

  it("is not believed by a header that is not configured", () => {
    expect(ask(["x-consumer", "alice"], "10.1.2.3")).toMatchObject({ why: "missing" });
    expect(desk().ask(["x-consumer", "alice"], "10.1.2.3")).toMatchObject({ why: "missing" });
  });

  it.each([
    ["unknown", ["x-team", "mallory"]],
    ["unknown", ["x-team", "research"]],
    ["unknown", ["x-team", ""]],
    ["unknown", ["x-team", "alice, carol"]],
    ["disabled", ["x-team", "carol"]],
    ["duplicate", ["x-team", "alice", "X-Team", "alice"]],
  ])("names somebody %s: %j", (why, headers) => {
    expect(ask(headers, "10.1.2.3")).toMatchObject({ kind: "refused", why });
  });

  it("that names nobody leaves it to the key", () => {
    expect(ask(bearer(KEY), "10.1.2.3")).toEqual(ALICE);
    expect(ask([], "10.1.2.3")).toMatchObject({ why: "missing" });
  });

  it("has a header that is taken out of what goes on, configured or not", () => {
    expect(authenticator.identityHeader).toBe("x-team");
    expect(desk().authenticator.identityHeader).toBe("x-consumer");
  });

  it("cannot be anything but addresses", () => {
    expect(() => desk({ identity: { header: "x-team", trustedProxies: ["proxy"] } })).toThrow('"proxy"');
  });
});

describe("an address that fails again and again", () => {
  it("is told when to come back", () => {
    const { ask, clock } = desk();
    for (let count = 0; count < 10; count++) expect(ask(bearer(`sk-${count}`)).kind).toBe("refused");
    expect(ask(bearer("sk-10"))).toEqual({ kind: "throttled", retryAfterMs: 6_000 });
    expect(ask(["x-api-key", "a", "api-key", "b"]).kind).toBe("throttled");
    clock.advance(6_000);
    expect(ask(bearer("sk-11"))).toMatchObject({ kind: "refused", why: "unknown" });
  });

  it("still lets a good key in, and never counts it", () => {
    const { ask } = desk();
    for (let count = 0; count < 20; count++) ask(bearer("sk-123"));
    expect(ask(bearer("sk-123")).kind).toBe("throttled");
    for (let count = 0; count < 20; count++) expect(ask(bearer(KEY))).toEqual(ALICE);
  });

  it("is its /64 in IPv6, and nobody else", () => {
    const { ask } = desk();
    for (let count = 0; count < 11; count++) ask(bearer("sk-123"), `2001:db8::${count}`);
    expect(ask(bearer("sk-123"), "2001:db8::ffff").kind).toBe("throttled");
    expect(ask(bearer("sk-123"), "2001:db8:0:1::1").kind).toBe("refused");
  });

  it.each([
    ["missing", []],
    ["disabled", bearer(OFF_KEY)],
  ])("is not one whose key is %s", (why, headers) => {
    const { ask } = desk();
    for (let count = 0; count < 30; count++) expect(ask(headers)).toMatchObject({ kind: "refused", why });
  });

  it("is remembered over a new configuration", () => {
    const { ask, authenticator } = desk();
    for (let count = 0; count < 10; count++) ask(bearer("sk-123"));
    authenticator.reconfigure(config());
    expect(ask(bearer("sk-123")).kind).toBe("throttled");
  });
});

describe("a new configuration", () => {
  it("takes keys away and gives others at once", () => {
    const { ask, authenticator } = desk();
    const rotated = newKey(randomBytes);
    authenticator.reconfigure(config({ consumers: [consumer("alice", rotated)] }));
    expect(ask(bearer(KEY))).toMatchObject({ why: "unknown" });
    expect(ask(bearer(rotated))).toMatchObject({ consumer: { name: "alice" } });
    authenticator.reconfigure(config({ consumers: [] }));
    expect(ask([])).toEqual({ kind: "anonymous" });
  });

  it("that is broken changes nothing", () => {
    const { ask, authenticator } = desk();
    const broken = { header: "x-team", trustedProxies: ["10.0.0.0/99"] };
    expect(() => authenticator.reconfigure(config({ consumers: [], identity: broken }))).toThrow("10.0.0.0/99");
    const jwt = { issuer: "i", audience: "a", jwks: "/nowhere/keys.json", claim: "sub" };
    expect(() => authenticator.reconfigure(config({ consumers: [], jwt }))).toThrow("/nowhere/keys.json");
    expect(ask(bearer(KEY))).toEqual(ALICE);
  });
});

describe("the answer to a request that is not let in", () => {
  it("is 401, or 429 with the time to come back", () => {
    const { ask } = desk();
    const refused = errorOf(ask([]));
    expect(refused).toMatchObject({ outcome: "unauthenticated" });
    expect(refused?.status).toBeUndefined();
    for (let count = 0; count < 10; count++) ask(bearer("sk-123"));
    expect(errorOf(ask(bearer("sk-123")))).toMatchObject({ status: 429, retryAfterMs: 6_000 });
  });
});

describe("whatever headers come", () => {
  const secret = fc.oneof(
    fc.string({ minLength: 8, maxLength: 700 }),
    fc.stringMatching(/^[\x21-\x7e]{8,60}$/),
    fc.uint8Array({ minLength: 24, maxLength: 24 }).map((bytes) => newKey(() => bytes)),
    fc.uint8Array({ minLength: 24, maxLength: 24 }).map((bytes) => newKey(() => bytes).slice(0, 30)),
    fc.stringMatching(/^eyJ[\w-]{1,80}\.[\w-]{1,80}\.[\w-]{0,80}$/),
  );
  const name = fc.oneof(
    fc.constantFrom(
      "authorization",
      "Authorization",
      "x-api-key",
      "X-API-KEY",
      "api-key",
      "x-team",
      "__proto__",
      "host",
    ),
    fc.string(),
  );
  const header = fc.tuple(name, fc.constantFrom("", "Bearer ", "bEARER  ", "Basic "), secret);

  it("the authenticator answers, and no answer holds what was sent", async () => {
    const jwt = { issuer: "https://issuer", audience: "headgate", jwks: "http://127.0.0.1:1/keys", claim: "sub" };
    const { ask, clock } = desk({ ...BEHIND_PROXY, jwt });
    await fc.assert(
      fc.asyncProperty(
        fc.array(header, { maxLength: 6 }),
        fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
        async (soup, address) => {
          const flat = soup.flatMap(([name, scheme, value]) => [name, scheme + value]);
          // A new address now and then forgets nothing, time does.
          clock.advance(1_000);
          const answer = await settled(ask(flat, address));
          expect(answer.kind).not.toBe("known");
          const said = JSON.stringify(answer) + JSON.stringify(errorOf(answer) ?? "");
          for (const [, , value] of soup) expect(said).not.toContain(JSON.stringify(value).slice(1, -1));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("an odd number of them throws nothing", () => {
    expect(desk().ask(["authorization"])).toMatchObject({ why: "missing" });
  });
});

async function settled(answer: Identification): Promise<Identified> {
  return answer.kind === "pending" ? answer.result : answer;
}

function errorOf(answer: Identification): ReturnType<typeof refusalError> | undefined {
  if (answer.kind === "known" || answer.kind === "anonymous" || answer.kind === "pending") return undefined;
  return refusalError(answer);
}
