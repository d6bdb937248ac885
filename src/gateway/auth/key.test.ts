import { createHash, randomBytes } from "node:crypto";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { digestOf, isMistypedKey, looksLikeKey, newKey } from "./key.ts";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const chance = fc.uint8Array({ minLength: 24, maxLength: 24 });

describe("a key", () => {
  it("has one form, whatever chance gave", () => {
    fc.assert(
      fc.property(chance, (bytes) => {
        expect(newKey(() => bytes)).toMatch(/^hg_live_[0-9A-Za-z]{33}_[0-9A-Za-z]{6}$/);
      }),
    );
    expect(newKey((size) => new Uint8Array(size))).toBe(`hg_live_${"0".repeat(33)}_2itHix`);
  });

  it("carries all of 192 random bits", () => {
    fc.assert(
      fc.property(chance, (bytes) => {
        const secret = newKey(() => bytes).slice(8, 41);
        let value = 0n;
        for (const digit of secret) value = value * 62n + BigInt(BASE62.indexOf(digit));
        expect(value.toString(16).padStart(48, "0")).toBe(Buffer.from(bytes).toString("hex"));
      }),
    );
  });

  it("looks like one", () => {
    expect(looksLikeKey(newKey(randomBytes))).toBe(true);
  });

  it("with one wrong character is seen to be mistyped, always", () => {
    const key = newKey(randomBytes);
    for (const [place, right] of Array.from(key).entries()) {
      for (const wrong of BASE62) {
        if (wrong === right) continue;
        expect(looksLikeKey(key.slice(0, place) + wrong + key.slice(place + 1))).toBe(false);
      }
    }
  });

  it("with two neighbours swapped, or cut off, is seen to be mistyped", () => {
    fc.assert(
      fc.property(chance, fc.nat({ max: 45 }), (bytes, place) => {
        const key = newKey(() => bytes);
        const [one = "", other = ""] = key.slice(place, place + 2);
        const swapped = key.slice(0, place) + other + one + key.slice(place + 2);
        expect(looksLikeKey(swapped)).toBe(one === other);
        expect(looksLikeKey(key.slice(0, place))).toBe(false);
        expect(isMistypedKey(key.slice(0, place))).toBe(place >= 3);
      }),
    );
  });

  it("of somebody else is not mistyped", () => {
    expect(isMistypedKey("sk-proj-0123456789")).toBe(false);
    expect(looksLikeKey("sk-proj-0123456789")).toBe(false);
  });

  it("is kept as its SHA-256", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(digestOf(text)).toBe(createHash("sha256").update(text, "utf8").digest("hex"));
      }),
    );
  });
});
