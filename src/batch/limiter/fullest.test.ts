import * as fc from "fast-check";
import { expect, test } from "vitest";

import { Fullest } from "./fullest.ts";

test("the most in any window is what counting around every send finds, corrections included", () => {
  const send = fc.record({
    gap: fc.nat(400),
    amount: fc.integer({ min: 0, max: 9 }),
    correction: fc.integer({ min: -9, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(send, { maxLength: 80 }), fc.integer({ min: 1, max: 1_500 }), (sends, windowMs) => {
      const fullest = new Fullest(5, windowMs);
      const list: { at: number; amount: number }[] = [];
      let now = 0;
      for (const { gap, amount, correction } of sends) {
        now += gap;
        fullest.add(amount, now);
        const truth = amount === 0 ? 0 : Math.max(0, amount + correction);
        if (amount > 0) fullest.adjust(truth - amount, now);
        list.push({ at: now, amount: truth });
        const sums = list.map(({ at: start }) =>
          list.filter(({ at }) => at >= start && at < start + windowMs).reduce((sum, { amount }) => sum + amount, 0),
        );
        expect(fullest.most()).toBe(Math.max(0, ...sums));
      }
    }),
  );
});
