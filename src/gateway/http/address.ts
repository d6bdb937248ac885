import { isIPv6 } from "node:net";

/**
 * The member that a remote address stands for while no consumers are configured. IPv4 as it is, also when it arrives
 * mapped into IPv6; IPv6 by its /64, since one host commonly owns all of that.
 */
export function memberOfAddress(address: string | undefined): string {
  if (address === undefined || address === "") return "unknown";
  if (!address.includes(":")) return address;
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice("::ffff:".length);
  if (!isIPv6(address) || address === "::1") return address;
  return `${expand(address.split("%", 1)[0] ?? address)
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}

function expand(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined) return before;
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after];
}
