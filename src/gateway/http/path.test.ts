import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { canonicalPath, climbsOut } from "./path.ts";

describe("canonicalPath", () => {
  test.each([
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/v1/chat/completions?a=/../b", "/v1/chat/completions"],
    ["/v1/chat/completions#x?y", "/v1/chat/completions"],
    ["//v1///chat/completions//", "/v1/chat/completions"],
    ["/V1/Chat/Completions", "/v1/chat/completions"],
    ["/v1/%63hat/comp%6Cetions", "/v1/chat/completions"],
    ["/v1/%2563hat/completions", "/v1/chat/completions"],
    ["/v1/%252563hat/completions", "/v1/%63hat/completions"],
    ["/v1%2fchat%5Ccompletions", "/v1/chat/completions"],
    ["/v1\\chat\\completions", "/v1/chat/completions"],
    ["/./v1/x/../chat/./completions/.", "/v1/chat/completions"],
    ["/v1/x/%2e%2E/chat/completions", "/v1/chat/completions"],
    ["/../../v1", "/v1"],
    ["/v1/%zz%", "/v1/%zz%"],
    ["/v1/chat%3Fx", "/v1/chat?x"],
    ["/v1/caf%c3%a9", "/v1/caf\u00c3\u00a9".toLowerCase()],
    ["/v1/__proto__", "/v1/__proto__"],
    ["/", "/"],
    ["", "/"],
    ["?x", "/"],
    ["/..", "/"],
  ])("of %s is %s", (target, path) => {
    expect(canonicalPath(target)).toBe(path);
  });

  const segment = fc.constantFrom("v1", "Chat", "..", ".", "", "%2e", "%2E%2e", "%252e", "a%2fb", "x\\y", "%", "é");
  const target = fc.array(segment).map((segments) => `/${segments.join("/")}`);

  test("is the same for its own outcome, and has no dot segments, doubled slashes or upper case", () => {
    fc.assert(
      fc.property(target, (text) => {
        const path = canonicalPath(text);
        // What was escaped three times is still escaped, and is not looked into again.
        expect(path.includes("%") ? path : canonicalPath(path)).toBe(path);
        expect(path).toMatch(/^\//);
        expect(path).not.toMatch(/\/\/|\/\.\.?(?:\/|$)|[A-Z\\]/);
        expect(path === "/" || !path.endsWith("/")).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("climbsOut", () => {
  test.each(["/..", "/v1/../..", "/%2e%2e/x", "/.%2e/x", "/a/%252e%252e/..", "/a\\..\\..", "/a//../..", "/./../a/b/c"])(
    "holds for %s",
    (target) => {
      expect(climbsOut(target)).toBe(true);
    },
  );

  test.each([
    "/",
    "/v1",
    "/v1/..",
    "/a/b/../..",
    "/a/..b/../...",
    "/v1?x=/../..",
    "/v1#/../..",
    "/a/%2e/b/%2e%2e",
    "/...",
  ])("does not hold for %s", (target) => {
    expect(climbsOut(target)).toBe(false);
  });
});
