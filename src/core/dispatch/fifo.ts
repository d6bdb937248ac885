/** The links that an element of a `Fifo` carries. Both start undefined; only the list that holds the element changes them. */
export interface FifoLinks<E> {
  previous: E | undefined;
  next: E | undefined;
}

/** A first-in-first-out list whose elements carry its links: any element leaves in O(1), and nothing is allocated. */
export class Fifo<E extends FifoLinks<E>> implements Iterable<E> {
  #first: E | undefined;
  #last: E | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): E | undefined {
    return this.#first;
  }

  get last(): E | undefined {
    return this.#last;
  }

  /** Appends an element that is in no list. */
  push(element: E): void {
    element.previous = this.#last;
    if (this.#last === undefined) this.#first = element;
    else this.#last.next = element;
    this.#last = element;
    this.#size += 1;
  }

  shift(): E | undefined {
    const first = this.#first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out an element of this list. One that is in no list, or in another one, breaks both. */
  remove(element: E): void {
    const { previous, next } = element;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    element.previous = undefined;
    element.next = undefined;
    this.#size -= 1;
  }

  /** Oldest first. The element at hand may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<E> {
    let element = this.#first;
    while (element !== undefined) {
      const { next } = element;
      yield element;
      element = next;
    }
  }
}
