import { describe, expect, it } from "vitest";

import { TrustedProxies } from "./trusted-proxies.ts";

describe("trusted proxies", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "192.168.7.9/32", "fd00:1::/32", "2001:db8::1", "fe80::/10"]);

  it.each([
    "10.0.0.0",
    "10.255.255.255",
    "::ffff:10.1.2.3",
    "::FFFF:10.1.2.3",
    "192.168.7.9",
    "fd00:1::5",
    "2001:db8::1",
    "fe80::1%eth0",
  ])("have %s among them", (address) => {
    expect(proxies.has(address)).toBe(true);
  });

  it.each([
    "11.0.0.0",
    "9.255.255.255",
    "::ffff:11.1.2.3",
    "192.168.7.8",
    "fd00:2::5",
    "2001:db8::2",
    "::1",
    "127.0.0.1",
    "",
    "10.1.2",
    "10.0.0.1, 1.2.3.4",
    "localhost",
    undefined,
  ])("do not have %s among them", (address) => {
    expect(proxies.has(address)).toBe(false);
  });

  it("may be written as IPv4 inside IPv6", () => {
    const mapped = new TrustedProxies(["::ffff:10.0.0.0/104"]);
    expect(mapped.has("10.9.9.9")).toBe(true);
    expect(mapped.has("11.9.9.9")).toBe(false);
  });

  it("are nobody where none are listed", () => {
    expect(new TrustedProxies([]).has("127.0.0.1")).toBe(false);
  });

  it.each([
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "fd00::/129",
    "::ffff:10.0.0.0/95",
    "proxy.internal",
    "",
  ])("cannot be %j", (block) => {
    expect(() => new TrustedProxies([block])).toThrow(JSON.stringify(block));
  });
});
