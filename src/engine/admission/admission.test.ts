import { describe, expect, test } from "vitest";
import { effectivePolicy } from "../../core/policy/policies.ts";
import type { LimitName } from "../../core/policy/limits.ts";
import type { AdmissionMode, EffectivePolicy } from "../../core/policy/types.ts";
import { createRandom } from "../../core/random.ts";
import { POOL, type SharesConfig } from "../../core/shares/types.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { Admission } from "./admission.ts";
import type { AdmissionConfig, AdmissionRefusal, AdmissionVerdict, Charge, Claim } from "./types.ts";

const OPEN: AdmissionConfig = { requestShares: undefined, tokenShares: undefined, charge: "estimate", maxWaiting: 0 };
const NOBODY = { admitted: () => {}, refused: () => {} };

/** 60 requests a minute, 4 at once, for everybody in the pool; enforced from the start. */
const SHARES: SharesConfig = {
  unitsPerMinute: 60,
  utilizationThreshold: 1,
  burstSeconds: 1,
  meterSeconds: 0,
  typicalCost: 1,
  reservations: [],
};

interface Terms {
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly strict?: boolean;
  readonly mode?: AdmissionMode;
}

function policy({ limits = {}, strict, mode = "reject" }: Terms = {}): EffectivePolicy {
  const source = {
    limits: { values: limits, strict },
    exceptions: new Map(),
    reservations: new Map(),
    mode,
    modes: new Map(),
  };
  return effectivePolicy(source, { name: "ann", groups: [] });
}

class Site {
  readonly clock = new VirtualClock();
  readonly admission: Admission;

  constructor(config: Partial<AdmissionConfig> = {}) {
    this.admission = new Admission({ ...OPEN, ...config }, this.clock, createRandom(1));
  }

  enter(policy: EffectivePolicy, claim: Partial<Claim> = {}): AdmissionVerdict {
    return this.admission.enter({ consumer: "ann", policy, input: 0, output: 0, deadline: Infinity, ...claim }, NOBODY);
  }

  admit(policy: EffectivePolicy, claim: Partial<Claim> = {}): Charge {
    const verdict = this.enter(policy, claim);
    if (verdict.kind !== "admit") throw new Error(JSON.stringify(verdict));
    return verdict.charge;
  }

  refuse(policy: EffectivePolicy, claim: Partial<Claim> = {}): AdmissionRefusal {
    const verdict = this.enter(policy, claim);
    if (verdict.kind !== "refuse") throw new Error(verdict.kind);
    return verdict;
  }
}

describe("a request is refused", () => {
  test("for good, if its input is longer than the limit on one input", () => {
    const site = new Site();
    const rules = policy({ limits: { input_tokens: 100 } });
    expect(site.refuse(rules, { input: 101 })).toEqual({
      kind: "refuse",
      outcome: "input_too_long",
      rule: { kind: "limit", name: "input_tokens", value: 100, atOnce: 100, used: 0, requested: 101 },
      retryAfterMs: Infinity,
      waitedMs: 0,
    });
    site.admit(rules, { input: 100, output: 1_000_000 });
  });

  test("for good, if its input is larger than a token limit of a whole window", () => {
    const rules = policy({ limits: { requests_per_minute: 0, tokens_per_minute: 500 } });
    expect(new Site().refuse(rules, { input: 501 })).toMatchObject({
      outcome: "invalid_request",
      rule: { name: "tokens_per_minute", value: 500, requested: 501 },
      retryAfterMs: Infinity,
    });
  });

  test.each([
    ["requests_per_day", "rate_limited"],
    ["tokens_per_second", "token_limited"],
    ["input_tokens_per_minute", "token_limited"],
    ["output_tokens_per_hour", "token_limited"],
    ["concurrent_requests", "concurrency_limited"],
  ] as const)("by a limit of 0: %s", (name, outcome) => {
    const site = new Site();
    for (const strict of [false, true]) {
      const refusal = site.refuse(policy({ limits: { [name]: 0 }, strict }), { input: 5, output: 5 });
      expect(refusal).toMatchObject({ outcome, rule: { name, value: 0, used: 0 }, retryAfterMs: Infinity });
    }
  });

  test("when its consumer runs as many as it may, until one of them is settled", () => {
    const site = new Site();
    const rules = policy({ limits: { concurrent_requests: 2 } });
    const [first] = [site.admit(rules), site.admit(rules)];
    const refusal = site.refuse(rules);
    expect(refusal).toMatchObject({ outcome: "concurrency_limited", rule: { value: 2, used: 2, requested: 1 } });
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    site.admit(rules, { consumer: "bob" });
    first?.settle({ input: 0, output: 0 });
    site.admit(rules);
    site.refuse(rules);
  });

  test("by the limit rather than the share, and told the time when the last of them has room", () => {
    const rules = policy({ limits: { tokens_per_minute: 600 } });
    const [limited, shared, both] = [new Site(), new Site({ tokenShares: SHARES }), new Site({ tokenShares: SHARES })];
    limited.admit(rules, { input: 200 });
    shared.admit(policy(), { input: 200 });
    both.admit(rules, { input: 200 });
    const refusal = both.refuse(rules, { input: 1 });
    expect(refusal).toMatchObject({ outcome: "token_limited", rule: { name: "tokens_per_minute", used: 200 } });
    // By the limit in 10 s, when 101 of 200 have flowed back; by the share in 200 s.
    expect(limited.refuse(rules, { input: 1 }).retryAfterMs).toBeCloseTo(10_100);
    expect(refusal.retryAfterMs).toBeGreaterThan(190_000);
    shared.clock.advance(refusal.retryAfterMs - 1);
    shared.refuse(policy(), { input: 1 });
    shared.clock.advance(1);
    shared.admit(policy(), { input: 1 });
  });

  test("by the limit that has room the latest, so that the time is that of the rule that is named", () => {
    const site = new Site();
    const rules = policy({ limits: { requests_per_minute: 6, tokens_per_minute: 60 } });
    site.admit(rules, { input: 60 });
    const refusal = site.refuse(rules, { input: 1 });
    expect(refusal).toMatchObject({
      outcome: "token_limited",
      rule: { name: "tokens_per_minute", atOnce: 10, used: 60 },
    });
    expect(refusal.retryAfterMs).toBeCloseTo(51_000);
  });

  test("by its share of the capacity in requests or in tokens, whichever has room later", () => {
    const tokens: SharesConfig = { ...SHARES, unitsPerMinute: 600, typicalCost: 50 };
    const site = new Site({ requestShares: SHARES, tokenShares: tokens });
    site.admit(policy(), { input: 150, output: 50 });
    expect(site.refuse(policy(), { input: 1 })).toMatchObject({
      outcome: "capacity_reserved",
      rule: { kind: "share", share: POOL, unit: "tokens", perMinute: 600, requested: 1 },
    });
  });

  test("while the gate drains; what was admitted goes on", () => {
    const site = new Site();
    const charge = site.admit(policy());
    site.admission.drain();
    expect(site.refuse(policy())).toMatchObject({ outcome: "draining", rule: { kind: "none" }, retryAfterMs: 1_000 });
    expect(charge.settle({ input: 1, output: 1 })).toBe(true);
    expect(site.admission.snapshot()).toMatchObject({ running: 0, refused: { draining: 1 } });
  });
});

describe("a refusal consumes nothing", () => {
  test("of the limits that had room, when another had not", () => {
    const site = new Site();
    const rules = policy({ limits: { requests_per_minute: 60, tokens_per_minute: 60, concurrent_requests: 5 } });
    site.admit(rules, { input: 60 });
    for (let count = 0; count < 100; count++) site.refuse(rules, { input: 1 });
    const used = site.admission.usage("ann", rules).map(({ name, used }) => [name, used]);
    expect(used).toEqual([
      ["concurrent_requests", 1],
      ["requests_per_minute", 1],
      ["tokens_per_minute", 60],
    ]);
  });

  test("of the capacity", () => {
    const site = new Site({ requestShares: SHARES });
    const rules = policy({ limits: { requests_per_minute: 6 } });
    site.admit(rules);
    for (let count = 0; count < 100; count++) site.refuse(rules);
    expect(site.admission.snapshot().requests?.shares[0]?.deficit).toBe(1);
  });
});

describe("a charge", () => {
  const rules = policy({
    limits: { requests_per_minute: 60, tokens_per_minute: 6_000, output_tokens_per_minute: 6_000 },
  });

  function used(site: Site): number[] {
    return site.admission.usage("ann", rules).map(({ used }) => Math.round(used));
  }

  test("is the estimate up front, and the truth in the end", () => {
    const site = new Site();
    const charge = site.admit(rules, { input: 100, output: 50 });
    expect(used(site)).toEqual([1, 150, 50]);
    expect(charge.settle({ input: 90, output: 70 })).toBe(true);
    expect(used(site)).toEqual([1, 160, 70]);
  });

  test("follows the stream in steps of 16 tokens once that exceeds the estimate", () => {
    const site = new Site();
    const charge = site.admit(rules, { input: 100, output: 50 });
    charge.progress(65);
    expect(used(site)).toEqual([1, 150, 50]);
    charge.progress(66);
    expect(used(site)).toEqual([1, 166, 66]);
    charge.progress(10);
    expect(used(site)).toEqual([1, 166, 66]);
    charge.settle({ input: 100, output: 70 });
    expect(used(site)).toEqual([1, 170, 70]);
  });

  test("is nothing for a request that produced nothing", () => {
    const site = new Site({ requestShares: SHARES, tokenShares: { ...SHARES, unitsPerMinute: 6_000 } });
    site.admit(rules, { input: 100, output: 50 }).settle("nothing");
    expect(used(site)).toEqual([0, 0, 0]);
    const { requests, tokens } = site.admission.snapshot();
    expect([requests?.shares[0]?.deficit, tokens?.shares[0]?.deficit]).toEqual([0, 0]);
  });

  test("is settled once; later settlements are counted and change nothing", () => {
    const site = new Site();
    const charge = site.admit(rules, { input: 100, output: 50 });
    charge.settle({ input: 1, output: 1 });
    expect(charge.settle("nothing")).toBe(false);
    charge.progress(1_000);
    expect(used(site)).toEqual([1, 2, 1]);
    expect(site.admission.snapshot()).toMatchObject({ running: 0, lateSettlements: 1 });
  });

  test("is made only in the end where tokens are charged on completion", () => {
    const site = new Site({ charge: "on_completion", tokenShares: { ...SHARES, unitsPerMinute: 6_000 } });
    const owed = (): number | undefined => site.admission.snapshot().tokens?.shares[0]?.deficit;
    const charge = site.admit(rules, { input: 100, output: 50 });
    charge.progress(1_000);
    expect([used(site), owed()]).toEqual([[1, 0, 0], 0]);
    charge.settle({ input: 20, output: 1_000 });
    expect(used(site)).toEqual([1, 1_020, 1_000]);
    expect(owed()).toBeGreaterThan(0);
  });
});

describe("a strict limit", () => {
  test("admits what fits and not one token more", () => {
    const site = new Site();
    const rules = policy({ limits: { tokens_per_minute: 100 }, strict: true });
    site.admit(rules, { input: 60, output: 30 });
    expect(site.refuse(rules, { input: 11 }).retryAfterMs).toBe(60_000);
    site.admit(rules, { input: 10 });
  });

  test("is not made unusable by a guess of the output", () => {
    const site = new Site();
    const rules = policy({ limits: { tokens_per_minute: 100, output_tokens_per_minute: 50 }, strict: true });
    site.admit(rules, { input: 60, output: 256 }).settle({ input: 60, output: 5 });
    expect(site.admission.usage("ann", rules).map(({ left }) => left)).toEqual([35, 45]);
  });
});

describe("what is left", () => {
  test("is told for each limit, with the time until all of it is back", () => {
    const site = new Site();
    const rules = policy({ limits: { concurrent_requests: 4, requests_per_minute: 60, input_tokens: 9 } });
    expect(site.admission.usage("ann", rules)).toEqual([
      { name: "concurrent_requests", limit: 4, atOnce: 4, used: 0, left: 4, resetsInMs: 0 },
      { name: "requests_per_minute", limit: 60, atOnce: 10, used: 0, left: 10, resetsInMs: 0 },
    ]);
    expect(site.admission.snapshot().consumers).toBe(0);
    site.admit(rules);
    expect(site.admission.usage("ann", rules)).toEqual([
      { name: "concurrent_requests", limit: 4, atOnce: 4, used: 1, left: 3, resetsInMs: 0 },
      { name: "requests_per_minute", limit: 60, atOnce: 10, used: 1, left: 9, resetsInMs: 1_000 },
    ]);
  });

  test("is told in headers for the tightest limit on requests, and on tokens", () => {
    const site = new Site();
    const rules = policy({ limits: { requests_per_minute: 60, requests_per_hour: 60_000, tokens_per_minute: 60 } });
    site.admit(rules, { input: 7 });
    const { requests, tokens } = site.admission.headroom("ann", rules);
    expect([requests?.name, requests?.left, tokens?.name, tokens?.left]).toEqual([
      "requests_per_minute",
      9,
      "tokens_per_minute",
      3,
    ]);
    expect(site.admission.headroom("bob", policy())).toEqual({ requests: undefined, tokens: undefined });
  });
});

describe("memory", () => {
  const rules = policy({ limits: { requests_per_minute: 60 } });

  test("holds only consumers that have used something lately", () => {
    const site = new Site();
    for (let index = 0; index < 10_000; index++) {
      site.admit(rules, { consumer: `10.0.0.${index}` }).settle({ input: 0, output: 0 });
      site.clock.advance(100);
    }
    // Each is full again after a second: ten of them are in use at any time.
    expect(site.admission.snapshot().consumers).toBeLessThan(40);
  });

  test("forgets nobody that runs, or has used a part of a limit", () => {
    const site = new Site();
    const charge = site.admit(rules, { consumer: "runs" });
    site.clock.advance(60_000);
    site.admit(rules, { consumer: "used" });
    for (let index = 0; index < 1_000; index++) site.admit(rules, { consumer: `10.0.0.${index}` });
    expect(site.admission.usage("used", rules)[0]?.used).toBe(1);
    expect(charge.settle("nothing")).toBe(true);
    expect(site.admission.snapshot().running).toBe(1_001);
  });
});

describe("a new configuration", () => {
  test("keeps what was used, of limits that change too", () => {
    const site = new Site();
    const before = policy({ limits: { requests_per_minute: 60, tokens_per_minute: 600 } });
    const after = policy({ limits: { requests_per_minute: 30, requests_per_hour: 100, tokens_per_minute: 600 } });
    for (let count = 0; count < 4; count++) site.admit(before, { input: 10 });
    site.admission.reconfigure(OPEN);
    expect(site.admission.usage("ann", after).map(({ name, used }) => [name, Math.round(used)])).toEqual([
      ["requests_per_minute", 4],
      ["requests_per_hour", 0],
      ["tokens_per_minute", 40],
    ]);
  });

  test("that makes a limit strict, or not strict any more, keeps what was used", () => {
    const site = new Site();
    const limits = { requests_per_minute: 60 };
    for (let count = 0; count < 4; count++) site.admit(policy({ limits }));
    expect(site.admission.usage("ann", policy({ limits, strict: true }))[0]).toMatchObject({ used: 4, left: 56 });
    expect(site.admission.usage("ann", policy({ limits }))[0]).toMatchObject({ used: 4, left: 6 });
  });

  test("does not give back on a new limit what an older request was charged on others", () => {
    const site = new Site();
    const charge = site.admit(policy({ limits: { tokens_per_minute: 600 } }), { input: 50 });
    site.clock.advance(10);
    const after = policy({ limits: { tokens_per_hour: 600 } });
    site.admit(after, { input: 50 });
    charge.settle("nothing");
    expect(site.admission.usage("ann", after)[0]?.used).toBe(50);
  });

  test("may take away the share of a running request", () => {
    const reserved = { ...SHARES, reservations: [{ name: "ann", fraction: 0.5, group: false }] };
    const site = new Site({ requestShares: reserved });
    const charge = site.admit({ ...policy(), share: "ann" });
    site.admission.reconfigure({ ...OPEN, requestShares: SHARES });
    expect(charge.settle("nothing")).toBe(true);
    site.admit(policy());
    expect(site.admission.snapshot().requests?.shares.map(({ name, deficit }) => [name, deficit])).toEqual([[POOL, 1]]);
  });
});

describe("retry-after over a share", () => {
  test("is one appointment after the other, and jitter around 30 s when they are all taken", () => {
    const site = new Site({ requestShares: SHARES });
    // Alone in the pool: two at once, then one for every second.
    const [, , third] = [site.admit(policy()), site.admit(policy()), site.refuse(policy())];
    const told = [third?.retryAfterMs ?? 0];
    for (let count = 0; count < 50; count++) told.push(site.refuse(policy()).retryAfterMs);
    const appointments = told.filter((ms) => ms < 24_000);
    expect(appointments.length).toBeGreaterThan(20);
    appointments.slice(1).forEach((ms, index) => expect(ms - (appointments[index] ?? 0)).toBeCloseTo(1_000));
    const rest = told.slice(31);
    expect(rest.every((ms) => ms >= 24_000 && ms <= 36_000)).toBe(true);
    expect(new Set(rest).size).toBe(rest.length);
  });

  test("is the plain time again once nobody has asked for as long", () => {
    const site = new Site({ requestShares: SHARES });
    for (let count = 0; count < 2; count++) site.admit(policy());
    const { retryAfterMs } = site.refuse(policy());
    for (let count = 0; count < 500; count++) site.refuse(policy());
    site.clock.advance(31_000);
    for (let count = 0; count < 2; count++) site.admit(policy());
    expect(site.refuse(policy()).retryAfterMs).toBeCloseTo(retryAfterMs);
  });
});
