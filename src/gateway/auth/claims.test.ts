import { describe, expect, it } from "vitest";

import { type Claims, claimsOf } from "./claims.ts";

function read(...headers: readonly string[]): Claims {
  return claimsOf(headers, "x-consumer");
}

describe("the credential of a request", () => {
  it.each([
    ["authorization", "Bearer abc"],
    ["Authorization", "bearer abc"],
    ["AUTHORIZATION", "BEARER   abc "],
    ["X-Api-Key", "abc"],
    ["api-key", "abc"],
  ])("is read from %s: %s", (name, value) => {
    expect(read("host", "x", name, value)).toMatchObject({ credential: "abc", isAmbiguous: false });
  });

  it.each([
    [[]],
    [["authorization", "Basic YTpi"]],
    [["authorization", "Bearer "]],
    [["authorization", "Bearer"]],
    [["x-api-key", ""]],
  ])("is missing in %j", (headers) => {
    expect(read(...headers)).toMatchObject({ credential: undefined, isAmbiguous: false });
  });

  it("may stand in several headers if it is the same", () => {
    const claims = read("authorization", "Bearer abc", "x-api-key", "abc", "api-key", "abc");
    expect(claims).toMatchObject({ credential: "abc", isAmbiguous: false });
  });

  it.each([
    [["authorization", "Bearer abc", "x-api-key", "abd"]],
    [["authorization", "Bearer abc", "api-key", "abd"]],
    [["x-api-key", "abc", "api-key", "abd"]],
    [["x-api-key", "abc", "X-API-KEY", "abc"]],
    [["authorization", "Bearer abc", "authorization", "Basic YTpi"]],
    [["api-key", "", "api-key", "abc"]],
  ])("is ambiguous in %j", (headers) => {
    expect(read(...headers).isAmbiguous).toBe(true);
  });

  it("beside a scheme that is not for the gate is the other header's", () => {
    expect(read("authorization", "Basic YTpi", "x-api-key", "abc")).toMatchObject({
      credential: "abc",
      isAmbiguous: false,
    });
  });
});

describe("the identity header", () => {
  it("is read in any case, and seen to come twice", () => {
    expect(read("X-Consumer", "alice")).toMatchObject({ identity: "alice", isIdentityRepeated: false });
    expect(read("X-Consumer", "alice", "x-consumer", "alice").isIdentityRepeated).toBe(true);
  });

  it("is nothing where none is configured", () => {
    expect(claimsOf(["x-consumer", "alice"], undefined).identity).toBeUndefined();
  });
});
