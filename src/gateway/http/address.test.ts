import { expect, test } from "vitest";

import { memberOfAddress } from "./address.ts";

test.each([
  ["10.0.0.7", "10.0.0.7"],
  ["127.0.0.1", "127.0.0.1"],
  ["::ffff:10.0.0.7", "10.0.0.7"],
  ["::1", "::1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:0db8:0001:0002:0000:0000:0000:0001", "2001:db8:1:2::/64"],
  ["::5", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["", "unknown"],
  [undefined, "unknown"],
])("%s stands for the member %s", (address, member) => {
  expect(memberOfAddress(address)).toBe(member);
});

test("addresses of one /64 are one member, of different ones are not", () => {
  expect(memberOfAddress("2001:db8:1:2:aaaa::1")).toBe(memberOfAddress("2001:db8:1:2:bbbb:cccc::2"));
  expect(memberOfAddress("2001:db8:1:2::1")).not.toBe(memberOfAddress("2001:db8:1:3::1"));
});
