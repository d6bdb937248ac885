import * as fc from "fast-check";
import type { LimitName } from "../../src/core/policy/limits.ts";
import { effectivePolicy } from "../../src/core/policy/policies.ts";
import type { AdmissionMode, EffectivePolicy } from "../../src/core/policy/types.ts";
import { createRandom } from "../../src/core/random.ts";
import type { SharesConfig } from "../../src/core/shares/types.ts";
import type { Ms, Tokens } from "../../src/core/units.ts";
import { Admission } from "../../src/engine/admission/admission.ts";
import type { AdmissionVerdict, AdmissionWaiter } from "../../src/engine/admission/types.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

/** Who asks, and where each has its share: a reservation of its own, that of a group, or the pool. */
export const CONSUMERS = ["own", "grouped", "pooled"] as const;

export type Consumer = (typeof CONSUMERS)[number];

const RESERVATIONS = new Map([
  ["own", 0.4],
  ["group", 0.3],
]);

export interface Terms {
  readonly values: Partial<Record<LimitName, number>>;
  readonly strict: boolean;
  /** Units per minute; `undefined` for no shares in that unit. */
  readonly requests: number | undefined;
  readonly tokens: number | undefined;
}

export interface Ask {
  readonly gap: Ms;
  readonly consumer: Consumer;
  readonly input: Tokens;
  readonly output: Tokens;
}

/** A mixture of limits and shares that refuses often. */
export const terms: fc.Arbitrary<Terms> = fc.record({
  values: fc.record(
    {
      requests_per_second: fc.integer({ min: 1, max: 20 }),
      requests_per_minute: fc.integer({ min: 1, max: 60 }),
      tokens_per_minute: fc.integer({ min: 60, max: 5_000 }),
      input_tokens_per_minute: fc.integer({ min: 60, max: 5_000 }),
      output_tokens_per_hour: fc.integer({ min: 100, max: 100_000 }),
    },
    { requiredKeys: [] },
  ),
  strict: fc.boolean(),
  requests: fc.option(fc.integer({ min: 10, max: 300 }), { nil: undefined }),
  tokens: fc.option(fc.integer({ min: 1_000, max: 20_000 }), { nil: undefined }),
});

export function asks(consumers: readonly Consumer[]): fc.Arbitrary<Ask[]> {
  const ask = fc.record<Ask>({
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3_000 })),
    consumer: fc.constantFrom(...consumers),
    input: fc.integer({ min: 1, max: 60 }),
    output: fc.integer({ min: 0, max: 60 }),
  });
  return fc.array(ask, { minLength: 1, maxLength: 60 });
}

/** One deployment under random terms, on virtual time. */
export class Site {
  readonly clock = new VirtualClock();
  readonly admission: Admission;
  readonly #terms: Terms;
  readonly #mode: AdmissionMode;
  readonly #policies = new Map<Consumer, EffectivePolicy>();

  constructor(terms: Terms, mode: AdmissionMode = "reject") {
    this.#terms = terms;
    this.#mode = mode;
    const config = {
      requestShares: sharesOf(terms.requests, 1),
      tokenShares: sharesOf(terms.tokens, 100),
      charge: "estimate",
      maxWaiting: 20,
    } as const;
    this.admission = new Admission(config, this.clock, createRandom(1));
  }

  policyOf(consumer: Consumer): EffectivePolicy {
    const known = this.#policies.get(consumer);
    if (known !== undefined) return known;
    const { values, strict } = this.#terms;
    const rows = { exceptions: new Map(), reservations: RESERVATIONS, modes: new Map() };
    const holder = { name: consumer, groups: consumer === "grouped" ? ["group"] : [] };
    const policy = effectivePolicy({ ...rows, limits: { values, strict }, mode: this.#mode }, holder);
    this.#policies.set(consumer, policy);
    return policy;
  }

  /** Waits for the gap, then asks. */
  ask(
    { gap, consumer, input, output }: Ask,
    waiter: AdmissionWaiter = NOBODY,
    patience: Ms = Infinity,
  ): AdmissionVerdict {
    this.clock.advance(gap);
    const deadline = this.clock.now() + patience;
    return this.admission.enter({ consumer, policy: this.policyOf(consumer), input, output, deadline }, waiter);
  }

  /** Everything that admission can charge: what is used of each limit, and the deficits of all shares. */
  charged(): unknown {
    const { requests, tokens } = this.admission.snapshot();
    return {
      limits: CONSUMERS.map((name) => this.admission.usage(name, this.policyOf(name)).map(({ used }) => used)),
      deficits: [requests, tokens].map((unit) => unit?.shares.map(({ deficit }) => deficit)),
      meters: [requests?.meter.level, tokens?.meter.level],
    };
  }
}

const NOBODY: AdmissionWaiter = { admitted: () => {}, refused: () => {} };

function sharesOf(unitsPerMinute: number | undefined, typicalCost: number): SharesConfig | undefined {
  if (unitsPerMinute === undefined) return undefined;
  const reservations = [...RESERVATIONS].map(([name, fraction]) => ({ name, fraction, group: name === "group" }));
  return { unitsPerMinute, utilizationThreshold: 0.8, burstSeconds: 2, meterSeconds: 0, typicalCost, reservations };
}
