import * as fc from "fast-check";

/** Splits of some bytes at any places, into pieces that may be empty. */
export function splitsOf(bytes: Buffer): fc.Arbitrary<readonly Buffer[]> {
  return fc.array(fc.nat(bytes.length), { maxLength: 40 }).map((cuts) => {
    const at = [0, ...cuts, bytes.length].sort((a, b) => a - b);
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });
}
