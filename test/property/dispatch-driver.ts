import { FairQueue } from "../../src/core/dispatch/fair-queue.ts";
import type { FairQueueConfig, MemberSnapshot, Ticket } from "../../src/core/dispatch/types.ts";
import type { Move } from "./dispatch-moves.ts";
import type { Twin } from "./dispatch-twin.ts";

/** A queue that is driven by moves. Requests are numbered in the order of their offers, the refused ones included. */
export class Driver {
  readonly queue: FairQueue<number>;
  /** All requests that were let in. */
  readonly tickets: Ticket<number>[] = [];
  now: number;
  #offers = 0;

  constructor(config: FairQueueConfig, now = 0) {
    this.queue = new FairQueue<number>(config);
    this.now = now;
  }

  /** What the queue answers; numbers stand for tickets. */
  apply(move: Move): unknown {
    switch (move.kind) {
      case "offer": {
        const offer = this.queue.offer({ ...move.arrival, payload: this.#number() }, this.now);
        if (offer.kind !== "queued") return offer;
        this.tickets.push(offer.ticket);
        return { kind: "queued", pushedOut: offer.pushedOut.map(({ payload }) => payload) };
      }
      case "next":
        return this.queue.next(this.now)?.payload;
      case "cancel": {
        const ticket = this.picked(move.pick);
        return ticket !== undefined && this.queue.cancel(ticket);
      }
      case "complete": {
        const ticket = this.picked(move.pick);
        return ticket !== undefined && this.queue.complete(ticket, this.now);
      }
      case "pass":
        this.now += move.ms;
        return undefined;
      case "seats":
        return this.queue.setSeats(move.seats);
      case "shares":
        return this.queue.setShares(move.shares);
    }
  }

  /** Does the same to a twin. To be called before `apply`. */
  applyToTwin(twin: Twin, move: Move): unknown {
    switch (move.kind) {
      case "offer":
        return twin.offer({ ...move.arrival, payload: this.#offers });
      case "next":
        return twin.next(this.now);
      case "cancel":
        return twin.cancel(this.picked(move.pick)?.payload);
      case "complete":
        return twin.complete(this.picked(move.pick)?.payload, this.now);
      case "pass":
        return undefined;
      case "seats":
        twin.seats = move.seats;
        return undefined;
      case "shares":
        return twin.setShares(move.shares);
    }
  }

  picked(pick: number): Ticket<number> | undefined {
    const lastGone = this.tickets.findLast(({ state }) => state === "gone");
    const candidates = this.tickets.filter((ticket) => ticket.state !== "gone" || ticket === lastGone);
    return candidates[pick % candidates.length];
  }

  /** Lets everything run to its end. */
  drain(): void {
    this.queue.setSeats(4);
    while (this.queue.running + this.queue.waiting > 0) {
      while (this.queue.next(this.now) !== undefined);
      this.now += 100;
      const running = this.tickets.find(({ state }) => state === "running");
      if (running === undefined || !this.queue.complete(running, this.now)) throw new Error("the queue is stuck");
    }
  }

  #number(): number {
    this.#offers += 1;
    return this.#offers - 1;
  }
}

/** What can be seen of a queue, or of its twin, from outside. */
export function view(queue: View): object {
  const { seats, waiting, waitingBytes, running, runningTokens } = queue;
  const members = [...queue.members()].map((member) => JSON.stringify(member)).toSorted();
  return { seats, waiting, waitingBytes, running, runningTokens, members };
}

interface View {
  readonly seats: number;
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly running: number;
  readonly runningTokens: number;
  members(): Iterable<MemberSnapshot>;
}
