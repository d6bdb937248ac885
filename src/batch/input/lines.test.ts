import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Line, readLines } from "./lines.ts";

async function linesOf(chunks: readonly Buffer[], maxBytes?: number): Promise<readonly Line[]> {
  const source = async function* (): AsyncGenerator<Buffer> {
    yield* chunks;
  };
  const found: Line[] = [];
  for await (const lines of readLines(source(), maxBytes)) found.push(...lines);
  return found;
}

describe("readLines", () => {
  it("finds the same lines however the bytes are cut", async () => {
    const cuts = fc.array(fc.nat(60), { maxLength: 12 });
    const text = fc.array(fc.constantFrom("a", "é", "🙂", "\n", "\r\n", "{}"), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, cuts, async (parts, places) => {
        const bytes = Buffer.from(parts.join(""));
        const at = [0, ...places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index] ?? 0, end));
        const plain = parts
          .join("")
          .split("\n")
          .map((line) => line.replace(/\r$/, ""));
        if (plain.at(-1) === "") plain.pop();
        expect((await linesOf(chunks)).map(({ text }) => text)).toEqual(plain);
      }),
    );
  });

  it("numbers lines from 1 and takes a byte order mark off", async () => {
    expect(await linesOf([Buffer.from("\uFEFFa\n\nb")])).toEqual([
      { number: 1, text: "a" },
      { number: 2, text: "" },
      { number: 3, text: "b" },
    ]);
  });

  it("does not keep what is too long, and goes on behind it", async () => {
    const chunks = ["x".repeat(8), "x".repeat(8), "\nok\n"].map((text) => Buffer.from(text));
    expect(await linesOf(chunks, 10)).toEqual([
      { number: 1, text: undefined, flaw: "too_long" },
      { number: 2, text: "ok" },
    ]);
  });

  it("does not make something else of bytes that are no UTF-8", async () => {
    expect(await linesOf([Buffer.from([0x61, 0xc3]), Buffer.from([0xa9, 0x0a, 0xe9, 0x0a, 0x62])])).toEqual([
      { number: 1, text: "aé" },
      { number: 2, text: undefined, flaw: "not_utf8" },
      { number: 3, text: "b" },
    ]);
  });
});
