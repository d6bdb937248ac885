import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { LimitSignal } from "../types.ts";
import { readDuration } from "./durations.ts";
import { readSignal } from "./read.ts";
import { readStructuredList } from "./structured-list.ts";

const WALL = Date.parse("2026-11-21T12:00:00Z");

function dimensions(headers: LimitSignal["headers"]): readonly object[] {
  return readSignal({ status: 200, headers }, WALL).dimensions;
}

function retryAfter(headers: LimitSignal["headers"]): unknown {
  return readSignal({ status: 429, headers }, WALL).retryAfter;
}

describe("durations", () => {
  test.each([
    ["1s", 1_000],
    ["6m0s", 360_000],
    ["880ms", 880],
    ["7.66s", 7_660],
    ["1h30m", 5_400_000],
    ["500us", 0.5],
    ["500µs", 0.5],
    ["21ns", 0.000_021],
    ["17", 17_000],
    ["0.5", 500],
  ])("%s is %d ms", (text, ms) => expect(readDuration(text)).toBeCloseTo(ms, 9));

  test.each(["", "soon", "-1s", "1x", "1s!", "s", "1e3s", "NaN"])("%j is none", (text) => {
    expect(readDuration(text)).toBeUndefined();
  });
});

describe("retry-after", () => {
  test("in milliseconds comes first, and is exact", () => {
    expect(retryAfter({ "retry-after-ms": "299", "retry-after": "1" })).toEqual({ ms: 299, isExact: true });
  });

  test("in seconds is never cut short, not by a day", () => {
    expect(retryAfter({ "retry-after": "198300" })).toEqual({ ms: 198_300_000, isExact: false });
  });

  test("as a date is read against the server's own clock", () => {
    const headers = { "retry-after": "Sat, 21 Nov 2026 09:00:12 GMT", date: "Sat, 21 Nov 2026 09:00:00 GMT" };
    expect(retryAfter(headers)).toEqual({ ms: 12_000, isExact: false });
  });

  test("that is neither is as good as none", () => {
    expect(retryAfter({ "retry-after": "later", "retry-after-ms": "-5" })).toBeUndefined();
  });
});

describe("limits", () => {
  test("of OpenAI fill until their reset; in which window, they do not say", () => {
    expect(
      dimensions({
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "6ms",
      }),
    ).toEqual([
      {
        id: "requests",
        unit: "requests",
        limit: 60,
        remaining: 59,
        resetMs: 1_000,
        refill: "gradual",
        windowMs: undefined,
      },
      {
        id: "tokens",
        unit: "tokens",
        limit: 150_000,
        remaining: 149_984,
        resetMs: 6,
        refill: "gradual",
        windowMs: undefined,
      },
    ]);
  });

  test("of a project stand beside those of the organisation", () => {
    const found = dimensions({ "x-ratelimit-remaining-tokens": "10", "x-ratelimit-remaining-project-tokens": "5" });
    expect(found).toMatchObject([
      { id: "tokens", unit: "tokens", remaining: 10 },
      { id: "project-tokens", unit: "tokens", remaining: 5 },
    ]);
  });

  test("of Azure have no reset", () => {
    expect(dimensions({ "x-ratelimit-remaining-requests": "19", "x-ratelimit-limit-requests": "120" })).toEqual([
      {
        id: "requests",
        unit: "requests",
        limit: 120,
        remaining: 19,
        resetMs: undefined,
        refill: "gradual",
        windowMs: undefined,
      },
    ]);
  });

  test("of Cerebras name their window, and have resets in plain seconds", () => {
    const headers = {
      "x-ratelimit-limit-requests-day": "14400",
      "x-ratelimit-remaining-requests-day": "14399",
      "x-ratelimit-reset-requests-day": "33011.382867",
    };
    expect(dimensions(headers)).toMatchObject([{ id: "requests-day", unit: "requests", windowMs: 86_400_000 }]);
  });

  test("of Anthropic are per minute, with resets by the server's clock; those of output clamp nothing", () => {
    const headers = {
      date: "Sat, 21 Nov 2026 08:00:00 GMT",
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-11-21T08:00:02Z",
      "anthropic-ratelimit-input-tokens-limit": "20000",
      "anthropic-ratelimit-input-tokens-remaining": "19000",
      "anthropic-ratelimit-output-tokens-remaining": "0",
      "anthropic-ratelimit-output-tokens-limit": "8000",
    };
    expect(dimensions(headers)).toMatchObject([
      { unit: "requests", limit: 50, remaining: 49, resetMs: 2_000, refill: "gradual", windowMs: 60_000 },
      { unit: "tokens", limit: 20_000, remaining: 19_000, resetMs: undefined },
    ]);
  });

  test("of the IETF draft are those of their policies, and nothing comes before their time", () => {
    const headers = {
      "ratelimit-policy": '"burst";q=100;w=60, "daily";q=1000;w=86400, "bytes";q=9;qu="content-bytes";w=1',
      ratelimit: '"burst";r=0;t=30, "daily";r=50;pk=:cHsdsRa894==:, "bytes";r=1;t=1',
    };
    expect(dimensions(headers)).toEqual([
      {
        id: "ratelimit burst",
        unit: "requests",
        limit: 100,
        remaining: 0,
        resetMs: 30_000,
        refill: "at_reset",
        windowMs: 60_000,
      },
      {
        id: "ratelimit daily",
        unit: "requests",
        limit: 1_000,
        remaining: 50,
        resetMs: undefined,
        refill: "at_reset",
        windowMs: 86_400_000,
      },
    ]);
  });

  test("of older drafts: a dictionary, and fields of their own", () => {
    const policy = "100;w=60";
    const expected = [
      {
        id: "ratelimit",
        unit: "requests",
        limit: 100,
        remaining: 50,
        resetMs: 30_000,
        refill: "at_reset",
        windowMs: 60_000,
      },
    ];
    expect(dimensions({ ratelimit: "limit=100, remaining=50, reset=30", "ratelimit-policy": policy })).toEqual(
      expected,
    );
    const separate = { "ratelimit-limit": "100", "ratelimit-remaining": "50", "ratelimit-reset": "30" };
    expect(dimensions({ ...separate, "ratelimit-policy": policy })).toEqual(expected);
  });

  test.each([
    ["30", 30_000],
    [String(WALL / 1_000 + 7.5), 7_500],
    [String(WALL + 900), 900],
    ["1000000001", 0],
  ])("without a unit reset at %s", (reset, resetMs) => {
    const headers = { "x-ratelimit-limit": "2", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
    expect(dimensions(headers)).toMatchObject([
      { id: "x-ratelimit", unit: "requests", limit: 2, remaining: 0, resetMs },
    ]);
  });

  test("that are malformed are as good as none", () => {
    expect(dimensions({ ratelimit: '"a";r=5;', "ratelimit-policy": "(((" })).toEqual([]);
    expect(dimensions({ ratelimit: '"a";r=-5;t=3' })).toEqual([]);
    expect(dimensions({ "x-ratelimit-remaining": "many" })).toEqual([]);
  });
});

describe("what no retry helps against", () => {
  test.each([
    [429, { error: { code: "insufficient_quota", type: "insufficient_quota", message: "…" } }, "quota"],
    [
      429,
      { error: { type: "rate_limit_error", details: { error_code: "enforced_spend_limit_reached" } } },
      "spend_limit",
    ],
    [429, { error: { code: "billing_hard_limit_reached" } }, "billing"],
    [
      400,
      { type: "error", error: { type: "invalid_request_error", message: "Your credit balance is too low to …" } },
      "billing",
    ],
    [402, undefined, "billing"],
    [401, undefined, "unauthorized"],
    [403, { error: "…" }, "forbidden"],
    [429, { error: { code: "rate_limit_exceeded" } }, undefined],
    [429, { error: { code: "constructor" } }, undefined],
    [429, "Too many", undefined],
    [400, { error: { message: "bad" } }, undefined],
    [200, { error: { code: "insufficient_quota" } }, undefined],
  ] as const)("status %d with %j: %s", (status, error, expected) => {
    expect(readSignal({ status, headers: {}, error }, WALL).exhaustion).toBe(expected);
  });
});

test("x-should-retry is read where it is true or false", () => {
  const read = (text: string): unknown =>
    readSignal({ status: 429, headers: { "x-should-retry": text } }, WALL).shouldRetry;
  expect([read("true"), read("false"), read("maybe")]).toEqual([true, false, undefined]);
});

test("no header whatever breaks the reading, and no number in it is below zero or none at all", () => {
  const name = fc.constantFrom(
    "retry-after",
    "retry-after-ms",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-remaining",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-tokens-remaining",
    "date",
  );
  const piece = fc.constantFrom(
    '"',
    "a",
    ";r=",
    ";t=",
    ";q=",
    ",",
    "1",
    "0",
    "9e9",
    "ms",
    "s",
    " ",
    ":",
    "=",
    "2026-11-21T12:00:00Z",
  );
  const value = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.integer({ min: 100, max: 599 }), fc.json(), (headers, status, error) => {
      const reading = readSignal({ status, headers, error: JSON.parse(error) as unknown }, WALL);
      const numbers = reading.dimensions.flatMap(({ limit, remaining, resetMs, windowMs }) => [
        limit,
        remaining,
        resetMs,
        windowMs,
      ]);
      for (const number of [...numbers, reading.retryAfter?.ms]) expect(number ?? 0).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 1_000 },
  );
});

test("a structured list is read as it was written", () => {
  const name = fc.stringMatching(/^[\w ",;=\\]{0,8}$/);
  const parameter = fc.tuple(fc.stringMatching(/^[a-z][a-z0-9_]{0,4}$/), fc.nat(1_000_000));
  const item = fc.record({ name, parameters: fc.uniqueArray(parameter, { maxLength: 4, selector: ([key]) => key }) });
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 4 }), fc.constantFrom(",", ", ", " ,\t"), (items, comma) => {
      const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
      const written = items.map(
        ({ name, parameters }) => quoted(name) + parameters.map(([k, v]) => `; ${k}=${v}`).join(""),
      );
      const read = readStructuredList(written.join(comma));
      expect(read?.map(({ value }) => value)).toEqual(items.map(({ name }) => name));
      expect(read?.map(({ parameters }) => [...parameters])).toEqual(
        items.map(({ parameters }) => parameters.map(([key, value]) => [key, String(value)])),
      );
    }),
  );
});
