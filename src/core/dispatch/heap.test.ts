import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { heapIndexSlot, type HeapSlot, IndexedHeap } from "./heap.ts";

interface Card {
  rank: number;
  heapIndex: number;
  otherIndex: number;
}

const byRank = (a: Card, b: Card): boolean => a.rank < b.rank;
const otherSlot: HeapSlot<Card> = {
  get: (card) => card.otherIndex,
  set: (card, index) => {
    card.otherIndex = index;
  },
};

function cards(...ranks: readonly number[]): Card[] {
  return ranks.map((rank) => ({ rank, heapIndex: -1, otherIndex: -1 }));
}

function heapOf(all: readonly Card[]): IndexedHeap<Card> {
  const heap = new IndexedHeap<Card>(byRank, heapIndexSlot);
  for (const card of all) heap.push(card);
  return heap;
}

function drain(heap: IndexedHeap<Card>): number[] {
  return Array.from({ length: heap.size }, () => heap.pop()?.rank ?? Number.NaN);
}

describe("an indexed heap", () => {
  test("gives its elements in order", () => {
    expect(drain(heapOf(cards(5, 3, 8, 1, 9, 1)))).toEqual([1, 1, 3, 5, 8, 9]);
  });

  test("has nothing to give when it is empty", () => {
    const heap = heapOf([]);
    expect([heap.peek(), heap.pop(), heap.size]).toEqual([undefined, undefined, 0]);
  });

  test("answers whether it holds an element", () => {
    const [card, stranger] = cards(1, 2);
    if (card === undefined || stranger === undefined) throw new Error("two cards");
    const heap = heapOf([card]);
    expect([heap.has(card), heap.has(stranger)]).toEqual([true, false]);
    expect([heap.remove(card), heap.remove(card), heap.update(card)]).toEqual([true, false, false]);
    expect(card.heapIndex).toBe(-1);
  });

  test("may share its elements with another heap that has its own slot", () => {
    const all = cards(2, 3, 1);
    const ascending = heapOf(all);
    const descending = new IndexedHeap<Card>((a, b) => b.rank < a.rank, otherSlot);
    for (const card of all) descending.push(card);
    expect(drain(ascending)).toEqual([1, 2, 3]);
    expect(drain(descending)).toEqual([3, 2, 1]);
  });

  test("stays in order while any element is removed or changes its rank", () => {
    const change = fc.record({ pick: fc.nat(100), rank: fc.option(fc.nat(100)) });
    fc.assert(
      fc.property(fc.array(fc.nat(100), { minLength: 1 }), fc.array(change), (ranks, changes) => {
        let left = cards(...ranks);
        const heap = heapOf(left);
        for (const { pick, rank } of changes) {
          const card = left[pick % left.length];
          if (card === undefined) break;
          if (rank === null) {
            heap.remove(card);
            left = left.filter((other) => other !== card);
          } else {
            card.rank = rank;
            heap.update(card);
          }
        }
        expect([...heap].map((card) => card.heapIndex)).toEqual(left.map((_, index) => index));
        expect(drain(heap)).toEqual(left.map(({ rank }) => rank).toSorted((a, b) => a - b));
      }),
    );
  });
});
