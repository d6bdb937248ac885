import { describe, expect, test } from "vitest";

import { type Evidence, evidenceOf, Health } from "./health.ts";

/** Notes one after the other; returns which of them ejected. */
function note(health: Health, evidence: readonly Evidence[], isLast = false): boolean[] {
  return evidence.map((each) => health.note(each, isLast));
}

function fresh(): Health {
  return new Health();
}

describe("health", () => {
  test("is there in the beginning", () => {
    expect(fresh()).toMatchObject({ ejected: false, backoffMs: 1_000 });
  });

  test("is lost by the third server error in a row", () => {
    const health = fresh();
    expect(note(health, ["server_error", "server_error", "server_error"])).toEqual([false, false, true]);
    expect(health.ejected).toBe(true);
  });

  test("is lost by the second miss in a row", () => {
    expect(note(fresh(), ["unreachable", "unreachable"])).toEqual([false, true]);
  });

  test("is lost by one refused connection", () => {
    const health = fresh();
    expect(health.noteRefused()).toBe(true);
    expect(health.noteRefused()).toBe(false);
  });

  test("is not lost by what does not come in a row", () => {
    const health = fresh();
    note(health, ["server_error", "server_error", "answered", "server_error", "server_error"]);
    note(health, ["unreachable", "answered", "unreachable", "server_error", "unreachable"]);
    expect(health.ejected).toBe(false);
  });

  test("is not lost by misses between which a probe got through", () => {
    const health = fresh();
    note(health, ["unreachable"]);
    expect(health.readmit()).toBe(false);
    expect(note(health, ["unreachable"])).toEqual([false]);
  });

  test("is lost by server errors in spite of probes, which ask for nothing hard", () => {
    const health = fresh();
    note(health, ["server_error", "server_error"]);
    health.readmit();
    expect(note(health, ["server_error"])).toEqual([true]);
  });

  test("of the last backend is not lost by server errors, but by misses", () => {
    const health = fresh();
    expect(
      note(
        health,
        Array.from({ length: 10 }, () => "server_error" as const),
        true,
      ),
    ).not.toContain(true);
    expect(note(health, ["unreachable", "unreachable"], true)).toEqual([false, true]);
  });

  test("of what was the last one is lost by the next server error once it is that no more", () => {
    const health = fresh();
    note(health, ["server_error", "server_error", "server_error"], true);
    expect(note(health, ["server_error"])).toEqual([true]);
  });

  test("is lost once: later evidence ejects nobody again", () => {
    const health = fresh();
    health.noteRefused();
    expect(note(health, ["unreachable", "unreachable", "server_error", "server_error", "server_error"])).not.toContain(
      true,
    );
  });
});

describe("the back-off", () => {
  test("doubles with every failed probe, up to half a minute", () => {
    const health = fresh();
    health.noteRefused();
    const waits = Array.from({ length: 7 }, () => {
      health.probeFailed();
      return health.backoffMs;
    });
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test("doubles with every ejection that follows on the one before", () => {
    const health = fresh();
    const waits = Array.from({ length: 4 }, () => {
      health.noteRefused();
      const wait = health.backoffMs;
      expect(health.readmit()).toBe(true);
      return wait;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  test("starts again once a request was answered, but not by an answer that comes after the ejection", () => {
    const health = fresh();
    health.noteRefused();
    health.probeFailed();
    note(health, ["answered"]);
    expect(health).toMatchObject({ ejected: true, backoffMs: 2_000 });
    health.readmit();
    note(health, ["answered"]);
    expect(health.backoffMs).toBe(1_000);
  });
});

test.each([
  [200, "answered"],
  [302, "answered"],
  [404, "answered"],
  [429, "answered"],
  [500, "server_error"],
  [501, "answered"],
  [502, "server_error"],
  [503, "server_error"],
  [504, "server_error"],
  [529, "server_error"],
])("a status of %i says that the server %s", (status, evidence) => {
  expect(evidenceOf(status)).toBe(evidence);
});
