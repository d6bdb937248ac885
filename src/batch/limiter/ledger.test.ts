import { expect, test } from "vitest";

import { VirtualClock } from "../../testing/index.ts";
import type { Limit } from "../types.ts";
import { Guard } from "./guard.ts";
import { Ledger } from "./ledger.ts";

const TWO_A_SECOND: Limit = { name: "2/s", unit: "requests", amount: 2, windowMs: 1_000, burst: undefined };
const ONE = { requests: 1, tokens: 0 };

test("a limit that becomes known counts what went out before, and its change keeps that", () => {
  const clock = new VirtualClock();
  const ledger = new Ledger([], new Guard(0), clock);
  ledger.charge(ONE, clock.now());
  clock.advance(300);
  ledger.charge(ONE, clock.now());
  clock.advance(200);
  expect(ledger.learn("requests", TWO_A_SECOND)).toBe(true);
  expect(ledger.learn("requests", TWO_A_SECOND)).toBe(false);
  expect(ledger.dueAt(ONE, clock.now())).toBe(1_000);
  expect(ledger.learn("requests", { ...TWO_A_SECOND, amount: 1 })).toBe(true);
  expect(ledger.dueAt(ONE, clock.now())).toBe(1_300);
});

test("a request without an answer counts from the end of the guard, one with an answer from that", () => {
  const ledger = new Ledger([TWO_A_SECOND], new Guard(100), new VirtualClock());
  const first = ledger.charge(ONE, 0);
  ledger.charge(ONE, 10);
  ledger.answered(first, 40);
  expect(ledger.dueAt(ONE, 50)).toBe(1_041);
  expect(ledger.dueAt({ requests: 2, tokens: 0 }, 50)).toBe(1_110);
});
