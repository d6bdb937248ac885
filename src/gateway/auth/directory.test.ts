import crypto, { randomBytes } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

import { afterEach, describe, expect, it } from "vitest";

import type { ConsumerConfig } from "../../config/types.ts";
import { Directory } from "./directory.ts";
import { digestOf, newKey } from "./key.ts";

const { timingSafeEqual } = crypto;

afterEach(() => {
  crypto.timingSafeEqual = timingSafeEqual;
  syncBuiltinESMExports();
});

function consumer(name: string, more: Partial<ConsumerConfig> = {}): ConsumerConfig {
  return { name, kind: "user", enabled: true, groups: [], keys: [], ...more };
}

describe("the directory", () => {
  it("finds each of a consumer's keys, and the same consumer by its name", () => {
    const keys = [newKey(randomBytes), newKey(randomBytes)];
    const directory = new Directory([
      consumer("science", { kind: "group" }),
      consumer("alice", { groups: ["science"], keys: keys.map((key) => ({ sha256: digestOf(key) })) }),
    ]);
    const known = { kind: "known", consumer: { name: "alice", kind: "user", groups: ["science"] } };
    for (const key of keys) expect(directory.findKey(key)?.holder).toEqual(known);
    expect(directory.findName("alice")).toBe(directory.findKey(keys[0] ?? "")?.holder);
    expect(directory.findKey(newKey(randomBytes))).toBeUndefined();
    expect(directory.findName("bob")).toBeUndefined();
  });

  it("finds nobody by a digest in place of its key", () => {
    const digest = digestOf(newKey(randomBytes));
    expect(new Directory([consumer("alice", { keys: [{ sha256: digest }] })]).findKey(digest)).toBeUndefined();
  });

  it("compares digests of 32 bytes in constant time", () => {
    const lengths: number[] = [];
    crypto.timingSafeEqual = (left, right) => {
      lengths.push(left.byteLength, right.byteLength);
      return timingSafeEqual(left, right);
    };
    syncBuiltinESMExports();
    const key = newKey(randomBytes);
    const directory = new Directory([consumer("alice", { keys: [{ sha256: digestOf(key) }] })]);
    expect(directory.findKey(key)?.holder.kind).toBe("known");
    expect(lengths).toEqual([32, 32]);
  });

  it("finds no key where the comparison says no", () => {
    crypto.timingSafeEqual = () => false;
    syncBuiltinESMExports();
    const key = newKey(randomBytes);
    expect(new Directory([consumer("alice", { keys: [{ sha256: digestOf(key) }] })]).findKey(key)).toBeUndefined();
  });

  it("does not take a group for somebody who asks", () => {
    expect(new Directory([consumer("science", { kind: "group" })]).findName("science")).toBeUndefined();
  });

  it("has somebody switched off with any of their groups", () => {
    const directory = new Directory([
      consumer("science", { kind: "group" }),
      consumer("interns", { kind: "group", enabled: false }),
      consumer("alice", { groups: ["science"] }),
      consumer("bob", { groups: ["science", "interns"] }),
      consumer("carol", { enabled: false }),
    ]);
    expect(directory.findName("alice")).toMatchObject({ kind: "known" });
    expect(directory.findName("bob")).toMatchObject({ kind: "refused", why: "disabled" });
    expect(directory.findName("carol")).toMatchObject({ kind: "refused", why: "disabled" });
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("knows nobody called %s", (name) => {
    expect(new Directory([consumer("alice")]).findName(name)).toBeUndefined();
  });
});
