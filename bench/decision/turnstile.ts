import { SILENT_LOG } from "../../src/contracts/log.ts";
import { createRandom } from "../../src/core/random.ts";
import type { Allotment } from "../../src/gateway/allotment.ts";
import type { Caller } from "../../src/gateway/auth/index.ts";
import { Deployment } from "../../src/gateway/deployment.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { Passage, type PassageListener } from "./passage.ts";
import { consumersInTurn, deploymentFor, intervalMs, SEATS, type Situation, WAITING } from "./situation.ts";

const PATIENCE_MS = 30_000;

/** What a request is expected to use. */
const INPUT = 240;
const OUTPUT = 60;

/** How requests were answered. */
export interface Counts {
  asked: number;
  /** They had to wait for their share. */
  waited: number;
  refused: number;
}

/**
 * Requests that come, are decided about and end, on virtual time: all that the gate does between a body and a backend, less
 * the HTTP and the guess how many tokens it will be.
 */
export class Turnstile implements PassageListener {
  readonly counts: Counts = { asked: 0, waited: 0, refused: 0 };
  readonly #clock = new VirtualClock();
  readonly #deployment: Deployment;
  readonly #allotment: Allotment;
  readonly #consumers: readonly Caller[];
  readonly #stepMs: number;
  readonly #withSeat: boolean;
  /** Those at the backend, in the order in which they came there, from `#oldest` on. */
  readonly #running: Passage[] = [];
  #oldest = 0;
  #waitForSeat = 0;
  #next = 0;

  constructor(situation: Situation) {
    const { deployment, groups } = deploymentFor(situation);
    const ports = { clock: this.#clock, log: SILENT_LOG, random: createRandom(1) };
    this.#deployment = new Deployment(deployment, groups, { ...ports, probeIntervalMs: 0, abortGraceMs: 0 });
    if (this.#deployment.allotment === undefined) throw new Error("nothing is allotted");
    this.#allotment = this.#deployment.allotment;
    this.#consumers = consumersInTurn(situation.consumers);
    this.#stepMs = intervalMs(situation.load);
    this.#withSeat = situation.part === "seat";
  }

  run(requests: number): void {
    for (let done = 0; done < requests; done++) {
      this.#clock.advance(this.#stepMs);
      const caller = this.#consumers[this.#next];
      this.#next = this.#next + 1 < this.#consumers.length ? this.#next + 1 : 0;
      if (caller !== undefined) this.#ask(caller);
      while (this.#running.length - this.#oldest + this.#waitForSeat > SEATS + WAITING) this.#endOldest();
    }
  }

  charged(passage: Passage): void {
    if (!this.#withSeat) return void this.#running.push(passage);
    const { caller } = passage;
    this.#waitForSeat += 1;
    const { share } = this.#allotment.policyOf(caller);
    const request = { share, member: caller.name, tokens: 0, bytes: 1_024, deadline: this.#deadline };
    passage.follow(this.#deployment.gate.enter(request, passage));
  }

  seated(passage: Passage): void {
    this.#waitForSeat -= 1;
    this.#running.push(passage);
  }

  refused({ wasCharged }: Passage): void {
    this.counts.refused += 1;
    if (wasCharged) this.#waitForSeat -= 1;
  }

  #ask(caller: Caller): void {
    this.counts.asked += 1;
    const passage = new Passage(caller, this);
    const policy = this.#allotment.policyOf(caller);
    const claim = { consumer: caller.name, policy, input: INPUT, output: OUTPUT, deadline: this.#deadline };
    if (passage.obey(this.#allotment.admission.enter(claim, passage.forShare))) this.counts.waited += 1;
  }

  #endOldest(): void {
    // More than was expected, then less.
    const by = this.#oldest % 2 === 0 ? 8 : -8;
    this.#running[this.#oldest]?.end(INPUT + by, OUTPUT + by);
    this.#oldest += 1;
    if (this.#oldest < 4_096) return;
    this.#running.splice(0, this.#oldest);
    this.#oldest = 0;
  }

  get #deadline(): number {
    return this.#clock.now() + PATIENCE_MS;
  }
}
