import * as fc from "fast-check";
import { expect, it } from "vitest";

import { IdTable } from "./id-table.ts";
import { LineSet } from "./line-set.ts";

it("an id table answers like a map that keeps the first", () => {
  const entry = fc.record({ line: fc.integer({ min: 1, max: 2 ** 32 - 1 }), fingerprint: fc.nat(2 ** 31) });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), entry), { maxLength: 400 }), (adds) => {
      const table = new IdTable();
      const map = new Map<string, { readonly line: number; readonly fingerprint: number }>();
      for (const [id, added] of adds) {
        expect(table.add(id, added)).toEqual(map.get(id));
        if (!map.has(id)) map.set(id, added);
      }
      expect(table.size).toBe(map.size);
      for (const [id, kept] of map) expect(table.get(id)).toEqual(kept);
      expect(table.get("not there")).toBeUndefined();
    }),
  );
});

it("an id table tells a hundred thousand similar ids apart", () => {
  const table = new IdTable();
  const ids = Array.from({ length: 100_000 }, (_, index) => `row-${index}`);
  for (const [index, id] of ids.entries())
    expect(table.add(id, { line: index + 1, fingerprint: index })).toBeUndefined();
  expect(ids.every((id, index) => table.get(id)?.line === index + 1)).toBe(true);
});

it("a set of lines answers like a set", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000)), fc.array(fc.nat(100_000)), (added, asked) => {
      const lines = new LineSet();
      for (const line of added) lines.add(line);
      const oracle = new Set(added);
      expect(lines.size).toBe(oracle.size);
      for (const line of [...added, ...asked]) expect(lines.has(line)).toBe(oracle.has(line));
    }),
  );
});
