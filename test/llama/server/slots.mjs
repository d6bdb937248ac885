/**
 * N slots and one line of waiters in order of arrival, which is how llama-server defers requests.
 *
 * @typedef {{ decoded: number, promptTokens: number, limit: number }} Task
 * @typedef {{
 *   id: number,
 *   sequence: import("node-llama-cpp").LlamaContextSequence,
 *   taskId: number,
 *   task: Task | undefined,
 * }} Slot A slot without a task is free.
 */

export class SlotPool {
  /** @type {{ grant(slot: Slot): void }[]} */
  #waiters = [];
  #tasks = 0;
  #mostBusy = 0;
  #mostWaiting = 0;

  /** @param {readonly Slot[]} slots */
  constructor(slots) {
    this.slots = slots;
  }

  get busy() {
    return this.slots.filter(({ task }) => task !== undefined).length;
  }

  get mostBusy() {
    return this.#mostBusy;
  }

  get waiting() {
    return this.#waiters.length;
  }

  get mostWaiting() {
    return this.#mostWaiting;
  }

  /**
   * Resolves with a slot that holds `task`, in the caller's turn. Rejects when `signal` aborts first.
   *
   * @param {Task} task
   * @param {AbortSignal} signal
   * @returns {Promise<Slot>}
   */
  acquire(task, signal) {
    signal.throwIfAborted();
    const free = this.slots.find((slot) => slot.task === undefined);
    if (free !== undefined) return Promise.resolve(this.#occupy(free, task));
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter = {
        grant: (/** @type {Slot} */ slot) => {
          signal.removeEventListener("abort", leave);
          resolve(this.#occupy(slot, task));
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiters.push(waiter);
      this.#mostWaiting = Math.max(this.#mostWaiting, this.#waiters.length);
    });
  }

  /**
   * Gives the slot to the first waiter, if there is one. The sequence must be empty by now.
   *
   * @param {Slot} slot
   */
  release(slot) {
    slot.task = undefined;
    this.#waiters.shift()?.grant(slot);
  }

  /**
   * @param {Slot} slot
   * @param {Task} task
   */
  #occupy(slot, task) {
    slot.task = task;
    slot.taskId = this.#tasks++;
    this.#mostBusy = Math.max(this.#mostBusy, this.busy);
    return slot;
  }
}
