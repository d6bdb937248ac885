import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { amountOf } from "../../src/engine/admission/use.ts";
import { type Ask, asks, CONSUMERS, Site, type Terms, terms } from "./admission-site.ts";

/** A site in which all of these have asked. */
function replay(terms: Terms, history: readonly Ask[]): Site {
  const site = new Site(terms);
  for (const ask of history) site.ask(ask);
  return site;
}

/** The history up to the first refusal that waiting can mend, and what it was told. */
function untilRefused(
  terms: Terms,
  history: readonly Ask[],
): { before: Ask[]; retryMs: number; share: boolean } | undefined {
  const site = new Site(terms);
  for (const [index, ask] of history.entries()) {
    const verdict = site.ask(ask);
    if (verdict.kind !== "refuse" || verdict.retryAfterMs === Infinity) continue;
    return {
      before: history.slice(0, index + 1),
      retryMs: verdict.retryAfterMs,
      share: verdict.outcome === "capacity_reserved",
    };
  }
  return undefined;
}

/** What becomes of the same request again, so much later. */
function askAgain(terms: Terms, before: readonly Ask[], laterMs: number): string {
  const site = replay(terms, before);
  const last = before.at(-1);
  return last === undefined ? "nothing" : site.ask({ ...last, gap: laterMs }).kind;
}

const LONGEST = 30_000;

describe("8: retry-after", () => {
  test.each(CONSUMERS)("is exact for %s in 300 of 300 refusals, over mixtures of limits and shares", (consumer) => {
    let refusals = 0;
    const exact = fc.property(terms, asks([consumer]), (terms, history) => {
      const found = untilRefused(terms, history);
      // Longer waits for a share are announced as 30 s, with jitter.
      fc.pre(found !== undefined && found.retryMs > 0.01 && !(found.share && found.retryMs >= 0.8 * LONGEST));
      refusals += 1;
      expect(askAgain(terms, found.before, found.retryMs - 0.001)).toBe("refuse");
      expect(askAgain(terms, found.before, found.retryMs)).toBe("admit");
    });
    fc.assert(exact, { numRuns: 300, maxSkipsPerRun: 1_000 });
    expect(refusals).toBeGreaterThanOrEqual(300);
  });

  test("is never too early, whoever else has asked before", () => {
    const early = fc.property(terms, asks(CONSUMERS), (terms, history) => {
      const found = untilRefused(terms, history);
      fc.pre(found !== undefined && !(found.share && found.retryMs >= 0.8 * LONGEST));
      expect(askAgain(terms, found.before, found.retryMs)).toBe("admit");
    });
    fc.assert(early, { numRuns: 300, maxSkipsPerRun: 1_000 });
  });

  test("gives the refused requests of one consumer different times, each later than the last", () => {
    const capacity = fc.integer({ min: 60, max: 6_000 });
    fc.assert(
      fc.property(capacity, fc.constantFrom(...CONSUMERS), (requests, consumer) => {
        const site = new Site({ values: {}, strict: false, requests, tokens: undefined });
        const ask: Ask = { gap: 0, consumer, input: 1, output: 1 };
        const told: number[] = [];
        for (let count = 0; count < 400; count++) {
          const verdict = site.ask(ask);
          if (verdict.kind === "refuse") told.push(verdict.retryAfterMs);
        }
        const appointments = told.slice(
          0,
          told.findIndex((ms) => ms >= 0.8 * LONGEST),
        );
        appointments.slice(1).forEach((ms, index) => expect(ms).toBeGreaterThan(appointments[index] ?? 0));
        expect(Math.max(...told)).toBeLessThanOrEqual(1.2 * LONGEST);
      }),
    );
  });
});

describe("11: what is true in the end", () => {
  const usage = fc.record({ input: fc.nat(60), output: fc.nat(200) });

  test("counts as if it had been known from the start, if it is known at once", () => {
    fc.assert(
      fc.property(terms, asks(CONSUMERS), usage, (terms, history, truth) => {
        const [corrected, direct] = [replay(terms, history), replay(terms, history)];
        const ask: Ask = { gap: 0, consumer: "pooled", ...truth };
        // Large enough to be larger than the truth, and small enough to be charged without instalments.
        const first = corrected.ask({ ...ask, input: truth.input + 5, output: truth.output + 20 });
        const second = direct.ask(ask);
        fc.pre(first.kind === "admit" && second.kind === "admit" && !terms.strict && terms.tokens === undefined);
        first.charge.settle(truth);
        second.charge.settle(truth);
        expectSame(numbersOf(corrected), numbersOf(direct));
      }),
    );
  });

  test("refunds never make more room than there was at first", () => {
    fc.assert(
      fc.property(terms, asks(CONSUMERS), fc.array(fc.option(usage), { maxLength: 60 }), (terms, history, truths) => {
        const site = new Site(terms);
        for (const [index, ask] of history.entries()) {
          const verdict = site.ask(ask);
          const truth = truths[index];
          if (verdict.kind === "admit") verdict.charge.settle(truth ?? "nothing");
        }
        for (const name of CONSUMERS) {
          for (const { used, left, atOnce } of site.admission.usage(name, site.policyOf(name))) {
            expect(used).toBeGreaterThanOrEqual(0);
            expect(left).toBeLessThanOrEqual(atOnce);
          }
        }
        const { requests, tokens } = site.admission.snapshot();
        for (const { deficit, available, burst } of [...(requests?.shares ?? []), ...(tokens?.shares ?? [])]) {
          expect(deficit).toBeGreaterThanOrEqual(0);
          expect(available).toBeLessThanOrEqual(burst);
        }
      }),
    );
  });

  test("a request that produced nothing leaves nothing behind", () => {
    fc.assert(
      fc.property(terms, asks(CONSUMERS), (terms, history) => {
        const site = replay(terms, history.slice(1));
        const before = numbersOf(site);
        const verdict = site.ask({ ...(history[0] ?? { consumer: "own", input: 1, output: 1 }), gap: 0 });
        if (verdict.kind === "admit") verdict.charge.settle("nothing");
        expectSame(numbersOf(site), before);
      }),
    );
  });
});

describe("14: all or nothing", () => {
  test("a refusal charges nothing, and an admission charges every limit", () => {
    fc.assert(
      fc.property(terms, asks(CONSUMERS), (terms, history) => {
        const site = new Site(terms);
        // A strict limit charges no more of a guessed output than it has left for it.
        fc.pre(!terms.strict);
        for (const ask of history) {
          site.clock.advance(ask.gap);
          const before = numbersOf(site);
          const used = usedBy(site, ask);
          const verdict = site.ask({ ...ask, gap: 0 });
          const isIn = verdict.kind === "admit";
          const use = { requests: 1, input: ask.input, output: ask.output };
          const amounts = site.policyOf(ask.consumer).rates.map((rate) => (isIn ? amountOf(rate, use) : 0));
          expectSame(
            usedBy(site, ask),
            used.map((before, index) => before + (amounts[index] ?? 0)),
          );
          expectSame(isIn ? [] : numbersOf(site), isIn ? [] : before);
        }
      }),
    );
  });

  test("a refusal changes nothing for those who come later: leaving refusals out gives the same verdicts", () => {
    // Who is told to come back when is the one thing that a refusal changes.
    fc.assert(
      fc.property(terms, asks(CONSUMERS), (terms, history) => {
        const [all, admittedOnly] = [new Site(terms), new Site(terms)];
        for (const ask of history) {
          const verdict = all.ask(ask);
          admittedOnly.clock.advance(ask.gap);
          expect(verdict.kind === "admit" ? admittedOnly.ask({ ...ask, gap: 0 }).kind : "admit").toBe("admit");
        }
        expectSame(numbersOf(all), numbersOf(admittedOnly));
      }),
    );
  });
});

function usedBy(site: Site, { consumer }: Ask): number[] {
  return site.admission.usage(consumer, site.policyOf(consumer)).map(({ used }) => used);
}

/** Everything that is charged, as numbers in a fixed order. */
function numbersOf(site: Site): number[] {
  const numbers: number[] = [];
  JSON.stringify(site.charged(), (_, entry: unknown) => {
    if (typeof entry === "number") numbers.push(entry);
    return entry;
  });
  return numbers;
}

function expectSame(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  a.forEach((value, index) => expect(value).toBeCloseTo(b[index] ?? NaN, 5));
}
