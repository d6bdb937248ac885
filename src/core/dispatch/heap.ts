/** Where an element keeps its position in one heap; -1 while it is in none. An element in two heaps has two of them. */
export interface HeapSlot<E> {
  get(element: E): number;
  set(element: E, index: number): void;
}

/** The slot of an element that sits in one heap only: its field `heapIndex`, which starts at -1. */
export const heapIndexSlot: HeapSlot<{ heapIndex: number }> = {
  get: (element) => element.heapIndex,
  set: (element, index) => {
    element.heapIndex = index;
  },
};

/**
 * A binary heap whose elements know where they are, so that any of them can be removed or moved in O(log n).
 * `before` must be a strict order. Whoever changes what `before` looks at calls `update` before the next operation.
 */
export class IndexedHeap<E extends object> implements Iterable<E> {
  readonly #items: E[] = [];
  readonly #before: (a: E, b: E) => boolean;
  readonly #slot: HeapSlot<E>;

  constructor(before: (a: E, b: E) => boolean, slot: HeapSlot<E>) {
    this.#before = before;
    this.#slot = slot;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The element that comes before all others. */
  peek(): E | undefined {
    return this.#items[0];
  }

  has(element: E): boolean {
    return this.#slot.get(element) >= 0;
  }

  /** Adds an element that is not in the heap. */
  push(element: E): void {
    this.#items.push(element);
    this.#rise(element, this.#items.length - 1);
  }

  pop(): E | undefined {
    const top = this.#items[0];
    if (top !== undefined) this.remove(top);
    return top;
  }

  /** Returns false when the element is not in the heap. */
  remove(element: E): boolean {
    const index = this.#slot.get(element);
    if (index < 0) return false;
    this.#slot.set(element, -1);
    const last = this.#items.pop();
    if (last !== undefined && last !== element) this.#settle(last, index);
    return true;
  }

  /** Moves an element whose rank has changed. Returns false when it is not in the heap. */
  update(element: E): boolean {
    const index = this.#slot.get(element);
    if (index < 0) return false;
    this.#settle(element, index);
    return true;
  }

  /** All elements, in no particular order. The heap must not change meanwhile. */
  [Symbol.iterator](): IterableIterator<E> {
    return this.#items.values();
  }

  #settle(element: E, index: number): void {
    this.#sink(element, this.#rise(element, index));
  }

  #rise(element: E, start: number): number {
    const items = this.#items;
    let index = start;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || !this.#before(element, parent)) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(element, index);
    return index;
  }

  #sink(element: E, start: number): void {
    const items = this.#items;
    let index = start;
    for (;;) {
      let below = 2 * index + 1;
      let child = items[below];
      if (child === undefined) break;
      const sibling = items[below + 1];
      if (sibling !== undefined && this.#before(sibling, child)) {
        child = sibling;
        below += 1;
      }
      if (!this.#before(child, element)) break;
      this.#put(child, index);
      index = below;
    }
    this.#put(element, index);
  }

  #put(element: E, index: number): void {
    this.#items[index] = element;
    this.#slot.set(element, index);
  }
}
