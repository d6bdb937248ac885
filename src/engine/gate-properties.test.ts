/** The gate on random histories, against plain counts of what went in and what came out. */
import * as fc from "fast-check";
import { test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Gate, type GateConfig, type Place, type Refused, type Waiter } from "./gate.ts";
import type { Lease } from "./lease.ts";

/** What a request does from inside the callback that answers it. */
type Reaction = "nothing" | "settle" | "enter" | "settle and enter" | "leave another" | "settle another" | "drain";

interface Arrival {
  readonly member: string;
  readonly tokens: number;
  readonly bytes: number;
  readonly patienceMs: number;
  readonly reaction: Reaction;
}

type Move =
  | { readonly kind: "enter"; readonly arrival: Arrival }
  | { readonly kind: "settle" | "dispose" | "settle again" | "leave"; readonly pick: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "seats"; readonly seats: number }
  | { readonly kind: "drain" };

const config: fc.Arbitrary<GateConfig> = fc.record({
  seats: fc.integer({ min: 1, max: 4 }),
  maxInflightTokens: fc.constantFrom(Infinity, 50),
  maxLength: fc.constantFrom(0, 1, 3, 12, 1_000),
  maxBytes: fc.constantFrom(200, Infinity),
  initialEstimateMs: fc.constantFrom(1, 300),
  shares: fc.constant([{ name: "pool", weight: 1 }]),
});

const arrival: fc.Arbitrary<Arrival> = fc.record({
  member: fc.constantFrom("x", "y", "z"),
  tokens: fc.integer({ min: 0, max: 60 }),
  bytes: fc.integer({ min: 0, max: 120 }),
  patienceMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: -100, max: 5_000 })),
  reaction: fc.oneof(
    { weight: 16, arbitrary: fc.constant<Reaction>("nothing") },
    { weight: 1, arbitrary: fc.constant<Reaction>("drain") },
    {
      weight: 12,
      arbitrary: fc.constantFrom<Reaction>("settle", "enter", "settle and enter", "leave another", "settle another"),
    },
  ),
});

const pick = fc.nat(1_000);

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    { weight: 100, arbitrary: fc.record({ kind: fc.constant("enter" as const), arrival }) },
    { weight: 60, arbitrary: fc.record({ kind: fc.constant("settle" as const), pick }) },
    { weight: 10, arbitrary: fc.record({ kind: fc.constantFrom("dispose" as const, "settle again" as const), pick }) },
    { weight: 20, arbitrary: fc.record({ kind: fc.constant("leave" as const), pick }) },
    { weight: 40, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(1_500) }) },
    { weight: 10, arbitrary: fc.record({ kind: fc.constant("seats" as const), seats: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.constant({ kind: "drain" as const }) },
  ),
  { maxLength: 120, size: "max" },
);

/** Throws where a sentence of the gate's contract does not hold. */
function claim(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`it does not hold that ${sentence}`);
}

/** One request: what it was told, and what it holds. */
class Client implements Waiter {
  readonly arrival: Arrival;
  readonly deadline: number;
  readonly #driver: Driver;
  state: "entering" | "waiting" | "running" | "over" = "entering";
  lease: Lease | undefined;
  place: Place | undefined;

  constructor(driver: Driver, arrival: Arrival) {
    this.#driver = driver;
    this.arrival = arrival;
    this.deadline = driver.clock.now() + arrival.patienceMs;
  }

  admitted(lease: Lease): void {
    claim(this.state === "waiting", "only who waits is called, and once");
    this.start(lease);
    this.#driver.react(this);
  }

  refused({ outcome }: Refused): void {
    claim(this.state === "waiting", "only who waits is called, and once");
    const inTime = this.#driver.clock.now() < this.deadline;
    claim(!inTime || (outcome !== "queue_timeout" && outcome !== "no_backend"), "nobody expires before the deadline");
    this.state = "over";
    this.#driver.refused += 1;
    this.#driver.react(this);
  }

  start(lease: Lease): void {
    this.state = "running";
    this.lease = lease;
    this.#driver.admitted += 1;
    const { inFlight, seats, tokensInFlight, maxInflightTokens } = this.#driver.gate.snapshot();
    claim(inFlight <= seats, "nobody starts beyond the seats");
    claim(tokensInFlight <= maxInflightTokens, "nobody starts beyond the token cap");
  }
}

/** Plays moves against a gate and keeps the books. */
class Driver {
  readonly clock: VirtualClock = new VirtualClock();
  readonly gate: Gate;
  readonly clients: Client[] = [];
  admitted = 0;
  refused = 0;
  left = 0;
  settledAgain = 0;
  idle = 0;
  #draining = false;
  /** Chance for the reactions, the same in every run of the same moves. */
  #turn = 0;
  /** How many callbacks are on the stack. */
  #reacting = 0;

  constructor(config: GateConfig) {
    this.gate = new Gate(config, this.clock);
  }

  play(move: Move): void {
    switch (move.kind) {
      case "enter":
        return this.enter(move.arrival);
      case "settle":
        return this.settle(this.pick("running", move.pick));
      case "dispose": {
        const client = this.pick("running", move.pick);
        if (client !== undefined) client.state = "over";
        return client?.lease?.[Symbol.dispose]();
      }
      case "settle again": {
        const lease = this.pick("over", move.pick)?.lease;
        if (lease === undefined) return;
        claim(!lease.settle("completed"), "a lease is settled once");
        this.settledAgain += 1;
        return lease[Symbol.dispose]();
      }
      case "leave":
        return this.leave(this.pick("waiting", move.pick));
      case "pass":
        return this.clock.advance(move.ms);
      case "seats":
        return this.gate.setSeats(move.seats);
      case "drain":
        if (!this.#draining) this.gate.whenIdle(() => (this.idle += 1));
        this.#draining = true;
        return this.gate.drain();
    }
  }

  enter(arrival: Arrival): void {
    const client = new Client(this, arrival);
    this.clients.push(client);
    const { member, tokens, bytes } = arrival;
    const verdict = this.gate.enter({ share: "pool", member, tokens, bytes, deadline: client.deadline }, client);
    claim(client.state === "entering", "nobody is called before the verdict");
    switch (verdict.kind) {
      case "admit":
        return client.start(verdict.lease);
      case "wait":
        client.place = verdict.place;
        client.state = "waiting";
        return;
      case "refuse":
        this.refused += 1;
        client.state = "over";
    }
  }

  settle(client: Client | undefined): void {
    if (client === undefined) return;
    client.state = "over";
    claim(client.lease?.settle("completed") === true, "the first settlement counts");
  }

  leave(client: Client | undefined): void {
    if (client === undefined) return;
    client.state = "over";
    this.left += 1;
    if (client.place?.leave() === true) return;
    claim(this.#reacting > 0, "who waits can leave, but for one that is being told that it was put out");
    client.state = "waiting";
    this.left -= 1;
  }

  react(client: Client): void {
    const { reaction } = client.arrival;
    this.#turn += 1;
    this.#reacting += 1;
    if (reaction.startsWith("settle") && client.state === "running" && reaction !== "settle another") {
      this.settle(client);
    }
    // What comes again must end sometime.
    if (reaction.endsWith("enter")) this.enter({ ...client.arrival, reaction: "nothing" });
    if (reaction === "leave another") this.leave(this.pick("waiting", this.#turn));
    if (reaction === "settle another") this.settle(this.pick("running", this.#turn));
    if (reaction === "drain") this.play({ kind: "drain" });
    this.#reacting -= 1;
  }

  pick(state: Client["state"], pick: number): Client | undefined {
    const candidates = this.clients.filter((client) => client.state === state);
    return candidates[pick % Math.max(1, candidates.length)];
  }

  /** What holds after every move. */
  check(): void {
    const { clients, clock, gate } = this;
    const snapshot = gate.snapshot();
    const waiting = clients.filter(({ state }) => state === "waiting");
    const running = clients.filter(({ state }) => state === "running");
    claim(snapshot.inFlight === running.length, "in flight is as many as hold an unsettled lease");
    claim(snapshot.waiting === waiting.length, "waiting is as many as have no answer");
    const bytes = waiting.reduce((sum, { arrival }) => sum + arrival.bytes, 0);
    claim(snapshot.waitingBytes === bytes, "the bytes that wait are theirs");
    claim(clock.pending <= 1, "there is one timer at the most");
    claim(clock.pending === 0 || waiting.length > 0, "there is no timer when nobody waits");
    claim(
      waiting.every(({ deadline }) => deadline > clock.now() || clock.pending === 1),
      "nobody waits beyond the deadline",
    );
    const blocked = snapshot.maxInflightTokens < Infinity && snapshot.inFlight > 0;
    claim(snapshot.inFlight >= snapshot.seats || waiting.length === 0 || blocked, "no seat is free while one waits");
    claim(!this.#draining || waiting.length === 0, "nobody waits at a gate that drains");
    const counted = Object.values(snapshot.refused).reduce((sum, count) => sum + count, 0);
    claim(counted === this.refused, "every refusal is counted");
    claim(snapshot.admitted === this.admitted && snapshot.left === this.left, "who came in and who left is counted");
    claim(snapshot.lateSettlements === this.settledAgain, "late settlements are counted");
  }

  /** Lets everybody finish and holds that nothing is left. */
  finish(): void {
    this.play({ kind: "drain" });
    for (let client = this.pick("running", 0); client !== undefined; client = this.pick("running", 0)) {
      claim(this.idle === 0, "the gate is not idle while a lease is out");
      this.settle(client);
      this.check();
    }
    claim(this.idle === 1, "the gate is idle once, at the end");
    const { inFlight, waiting, waitingBytes, tokensInFlight, endings } = this.gate.snapshot();
    claim(inFlight + waiting + waitingBytes + tokensInFlight === 0, "nothing is left at the end");
    claim(this.clock.pending === 0, "no timer is left at the end");
    claim(this.admitted + this.refused + this.left === this.clients.length, "every request has exactly one answer");
    const ended = Object.values(endings).reduce((sum, count) => sum + count, 0);
    claim(ended === this.admitted, "every lease has one ending");
  }
}

test("on random histories the seats hold, everybody gets exactly one answer, and nothing is left", () => {
  fc.assert(
    fc.property(config, moves, (config, moves) => {
      const driver = new Driver(config);
      for (const move of moves) {
        driver.play(move);
        driver.check();
      }
      driver.finish();
    }),
    { seed: 22, numRuns: 500 },
  );
});
