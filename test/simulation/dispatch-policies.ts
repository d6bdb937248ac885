import { FairQueue } from "../../src/core/dispatch/fair-queue.ts";
import type { ShareConfig, Ticket } from "../../src/core/dispatch/types.ts";
import type { Ms } from "../../src/core/units.ts";
import type { Job, Policy } from "./dispatch-simulator.ts";

/** What a request is taken to cost before one has been seen. */
export const INITIAL_ESTIMATE_MS: Ms = 5_000;

/** The queue under test, without bounds. */
export class FairPolicy implements Policy {
  readonly queue: FairQueue<Job>;
  readonly #tickets = new Map<Job, Ticket<Job>>();

  constructor(seats: number, shares: readonly ShareConfig[]) {
    this.queue = new FairQueue<Job>({
      seats,
      maxInflightTokens: Infinity,
      maxLength: 1_000_000,
      maxBytes: Infinity,
      initialEstimateMs: INITIAL_ESTIMATE_MS,
      shares,
    });
  }

  offer(job: Job, now: Ms): void {
    const offer = this.queue.offer(
      { share: job.client.share, member: job.member, tokens: 0, bytes: 0, patienceMs: Infinity, payload: job },
      now,
    );
    if (offer.kind !== "queued") throw new Error(`an unbounded queue answers ${offer.kind}`);
    this.#tickets.set(job, offer.ticket);
  }

  next(now: Ms): Job | undefined {
    return this.queue.next(now)?.payload;
  }

  complete(job: Job, now: Ms): void {
    const ticket = this.#tickets.get(job);
    if (ticket === undefined || !this.queue.complete(ticket, now)) throw new Error("the job does not run");
    this.#tickets.delete(job);
  }
}

/** Negative control: whoever came first. */
export class FifoPolicy implements Policy {
  readonly #seats: number;
  #waiting: Job[] = [];
  #running = 0;

  constructor(seats: number) {
    this.#seats = seats;
  }

  offer(job: Job): void {
    this.#waiting.push(job);
  }

  next(): Job | undefined {
    if (this.#running >= this.#seats) return undefined;
    const job = this.#waiting.shift();
    if (job !== undefined) this.#running += 1;
    return job;
  }

  complete(): void {
    this.#running -= 1;
  }
}

/** Negative control: one request of every client in turn, whatever it costs. */
export class RoundRobinPolicy implements Policy {
  readonly #seats: number;
  readonly #queues = new Map<string, Job[]>();
  #running = 0;

  constructor(seats: number) {
    this.#seats = seats;
  }

  offer(job: Job): void {
    const queue = this.#queues.get(job.client.name);
    if (queue === undefined) this.#queues.set(job.client.name, [job]);
    else queue.push(job);
  }

  next(): Job | undefined {
    if (this.#running >= this.#seats) return undefined;
    for (const [name, queue] of this.#queues) {
      const job = queue.shift();
      if (job === undefined) continue;
      this.#queues.delete(name);
      this.#queues.set(name, queue);
      this.#running += 1;
      return job;
    }
    return undefined;
  }

  complete(): void {
    this.#running -= 1;
  }
}
