import { describe, expect, test } from "vitest";
import { Fifo, type FifoLinks } from "./fifo.ts";

class Bead implements FifoLinks<Bead> {
  readonly name: string;
  previous: Bead | undefined;
  next: Bead | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

function string(...names: readonly string[]): { list: Fifo<Bead>; beads: Map<string, Bead> } {
  const list = new Fifo<Bead>();
  const beads = new Map(names.map((name) => [name, new Bead(name)]));
  for (const bead of beads.values()) list.push(bead);
  return { list, beads };
}

function names(list: Fifo<Bead>): string[] {
  return [...list].map(({ name }) => name);
}

describe("a fifo", () => {
  test("gives what came first", () => {
    const { list } = string("a", "b", "c");
    expect([list.shift()?.name, list.shift()?.name, list.shift()?.name, list.shift()]).toEqual([
      "a",
      "b",
      "c",
      undefined,
    ]);
    expect([list.size, list.first, list.last]).toEqual([0, undefined, undefined]);
  });

  test.each([
    { gone: "a", left: ["b", "c"] },
    { gone: "b", left: ["a", "c"] },
    { gone: "c", left: ["a", "b"] },
  ])("closes up when $gone is taken out", ({ gone, left }) => {
    const { list, beads } = string("a", "b", "c");
    const bead = beads.get(gone);
    if (bead !== undefined) list.remove(bead);
    expect(names(list)).toEqual(left);
    expect([list.size, list.first?.name, list.last?.name]).toEqual([2, left[0], left[1]]);
    expect([bead?.previous, bead?.next]).toEqual([undefined, undefined]);
  });

  test("takes back an element that has left", () => {
    const { list } = string("a", "b");
    const first = list.shift();
    if (first !== undefined) list.push(first);
    expect(names(list)).toEqual(["b", "a"]);
  });

  test("may lose the element at hand while it is walked", () => {
    const { list } = string("a", "b", "c");
    for (const bead of list) if (bead.name !== "b") list.remove(bead);
    expect(names(list)).toEqual(["b"]);
  });
});
