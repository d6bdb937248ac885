import * as fc from "fast-check";
import { BlockList } from "node:net";
import { describe, expect, test } from "vitest";
import { isEverywhere, readCidr } from "./cidr.ts";

describe("blocks of addresses", () => {
  test.each([
    "10.0.0.0/8",
    "127.0.0.1/32",
    "0.0.0.0/0",
    "192.168.4.0/22",
    "fd00::/8",
    "::1/128",
    "::/0",
    "2001:db8::/33",
  ])("%s is one", (text) => {
    expect(readCidr(text)).toEqual({ kind: "read", value: text });
  });

  test.each(["", "10.0.0.0", "10.0.0/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "a.b/8", "10.0.0.0/8/8", 10, null])(
    "%s is none",
    (value) => {
      expect(readCidr(value)).toMatchObject({ kind: "refused", rule: expect.stringContaining("must be a block") });
    },
  );

  test.each([
    ["10.0.0.1", "10.0.0.1/32"],
    ["fd00::1", "fd00::1/128"],
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["192.168.5.0/22", "192.168.4.0/22"],
    ["2001:db8:ffff::/33", "2001:db8:8000::/33"],
    ["::ffff:10.0.0.1/112", "::ffff:a00:0/112"],
  ])("for %s, %s is suggested, which is one", (text, meant) => {
    expect(readCidr(text)).toMatchObject({ kind: "refused", hint: `did you mean ${meant}?` });
    expect(readCidr(meant)).toEqual({ kind: "read", value: meant });
  });

  test("the suggestion is the block that the address lies in", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (address, length) => {
        const family = address.includes(":") ? "ipv6" : "ipv4";
        const bits = family === "ipv4" ? length % 33 : length;
        const reading = readCidr(`${address}/${bits}`);
        const hint = reading.kind === "refused" ? /^did you mean (.*)\/\d+\?$/.exec(reading.hint ?? "")?.[1] : address;
        const block = new BlockList();
        block.addSubnet(hint ?? "", bits, family);
        expect(block.check(address, family)).toBe(true);
        expect(readCidr(`${hint}/${bits}`).kind).toBe("read");
      }),
    );
  });

  test("a length of 0 is everywhere", () => {
    expect(["0.0.0.0/0", "::/0", "10.0.0.0/10"].map(isEverywhere)).toEqual([true, true, false]);
  });
});
