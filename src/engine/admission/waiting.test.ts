import { describe, expect, test } from "vitest";
import { effectivePolicy } from "../../core/policy/policies.ts";
import type { Limits } from "../../core/policy/limits.ts";
import type { EffectivePolicy } from "../../core/policy/types.ts";
import { createRandom } from "../../core/random.ts";
import type { SharesConfig } from "../../core/shares/types.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { Admission } from "./admission.ts";
import type { AdmissionConfig, AdmissionPlace, AdmissionRefusal, AdmissionWaiter, Charge } from "./types.ts";

/** One request a second; `ann` and `bob` have half of it each, four at once. */
const SHARES: SharesConfig = {
  unitsPerMinute: 60,
  utilizationThreshold: 1,
  burstSeconds: 1,
  meterSeconds: 0,
  typicalCost: 1,
  reservations: [
    { name: "ann", fraction: 0.5, group: false },
    { name: "bob", fraction: 0.5, group: false },
  ],
};
const CONFIG: AdmissionConfig = { requestShares: SHARES, tokenShares: undefined, charge: "estimate", maxWaiting: 100 };

function policyOf(name: string, values: Limits["values"] = {}): EffectivePolicy {
  const none = { exceptions: new Map(), modes: new Map(), reservations: new Map([[name, 0.5]]) };
  return effectivePolicy({ ...none, limits: { values, strict: undefined }, mode: "queue" }, { name, groups: [] });
}

/** One request, and what it hears and when. */
class Client implements AdmissionWaiter {
  readonly heard: string[] = [];
  charge: Charge | undefined;
  place: AdmissionPlace | undefined;
  refusal: AdmissionRefusal | undefined;
  onAdmitted: () => void = () => {};
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  admitted(charge: Charge): void {
    this.charge = charge;
    this.heard.push(`admitted@${Math.round(this.#clock.now())}`);
    this.onAdmitted();
  }

  refused(refusal: AdmissionRefusal): void {
    this.refusal = refusal;
    this.heard.push(`${refusal.outcome}@${Math.round(this.#clock.now())}`);
  }
}

class Site {
  readonly clock = new VirtualClock();
  readonly admission: Admission;

  constructor(config: Partial<AdmissionConfig> = {}) {
    this.admission = new Admission({ ...CONFIG, ...config }, this.clock, createRandom(1));
  }

  enter(consumer = "ann", { patience = 10_000, policy = policyOf(consumer) } = {}): Client {
    const client = new Client(this.clock);
    const claim = { consumer, policy, input: 10, output: 10, deadline: this.clock.now() + patience };
    const verdict = this.admission.enter(claim, client);
    if (verdict.kind === "admit") client.charge = verdict.charge;
    if (verdict.kind === "wait") client.place = verdict.place;
    if (verdict.kind === "refuse") client.refusal = verdict;
    client.heard.push(verdict.kind === "refuse" ? verdict.outcome : verdict.kind);
    return client;
  }

  /** Takes all that the consumer's share has room for. */
  exhaust(consumer = "ann"): void {
    for (let count = 0; count < 4; count++) {
      const { heard } = this.enter(consumer);
      if (heard[0] !== "admit") throw new Error(`expected room for ${consumer}, got ${heard[0]}`);
    }
  }
}

describe("a request over its share, in queue mode,", () => {
  test("waits until its share has room, and says how long it waited", () => {
    const site = new Site();
    site.exhaust();
    const client = site.enter();
    expect(site.admission.snapshot()).toMatchObject({ waiting: 1, running: 4 });
    site.clock.advance(10_000);
    expect(client.heard).toEqual(["wait", "admitted@1000"]);
    expect(client.charge?.waitedMs).toBeCloseTo(1_000);
    expect(site.clock.pending).toBe(0);
  });

  test("holds no part of any limit while it waits", () => {
    const site = new Site();
    const policy = policyOf("ann", { requests_per_minute: 60 });
    for (let count = 0; count < 6; count++) site.enter("ann", { policy });
    expect(site.admission.usage("ann", policy)[0]?.used).toBe(4);
    expect(site.admission.snapshot().requests?.shares[0]?.deficit).toBe(4);
  });

  test("waits behind those of its consumer that came before, and beside those of others", () => {
    const site = new Site();
    site.exhaust("ann");
    site.exhaust("bob");
    const clients = ["ann", "ann", "bob", "ann"].map((name) => site.enter(name));
    site.clock.advance(20_000);
    expect(clients.map(({ heard }) => heard[1])).toEqual([
      "admitted@2000",
      "admitted@4000",
      "admitted@2000",
      "admitted@6000",
    ]);
  });

  test("does not overtake, when its share has room but its consumer's queue has not been looked at yet", () => {
    const site = new Site({ requestShares: { ...SHARES, unitsPerMinute: 60_000, burstSeconds: 0.001 } });
    site.exhaust();
    const first = site.enter();
    // The timers of a busy process are late: the room is there, and nobody has looked.
    const late = site.clock.now() + 1.4;
    const clock = site.clock.now.bind(site.clock);
    site.clock.now = () => Math.max(late, clock());
    const second = site.enter();
    expect(second.heard).toEqual(["wait"]);
    site.clock.now = clock;
    site.clock.advance(100);
    expect([first.heard.length, second.heard.length]).toEqual([2, 2]);
  });

  test("is refused at once when it would not get its turn in time", () => {
    const site = new Site();
    site.exhaust();
    const clients = Array.from({ length: 12 }, () => site.enter("ann", { patience: 5_000 }));
    expect(clients.map(({ heard }) => heard[0])).toEqual([
      ...Array.from({ length: 5 }, () => "wait"),
      ...Array.from({ length: 7 }, () => "capacity_reserved"),
    ]);
    site.clock.advance(5_000);
    expect(clients.slice(0, 5).map(({ heard }) => heard[1])).toEqual(
      [1, 2, 3, 4, 5].map((second) => `admitted@${second}000`),
    );
  });

  test("is refused at once by a limit of its own", () => {
    const site = new Site();
    const policy = policyOf("ann", { concurrent_requests: 5 });
    for (let count = 0; count < 5; count++) site.enter("ann", { policy });
    expect(site.admission.snapshot()).toMatchObject({ running: 4, waiting: 1 });
    expect(site.enter("ann", { policy }).heard).toEqual(["concurrency_limited"]);
  });

  test("is refused when it is the first of its queue, if those before it have used up a limit", () => {
    const site = new Site();
    const policy = policyOf("ann", { requests_per_hour: 30 });
    for (let count = 0; count < 4; count++) site.enter("ann", { policy });
    const [fifth, sixth] = [site.enter("ann", { policy }), site.enter("ann", { policy })];
    site.clock.advance(3_000);
    expect([fifth.heard, sixth.heard]).toEqual([
      ["wait", "admitted@1000"],
      ["wait", "rate_limited@1000"],
    ]);
    expect(sixth.refusal).toMatchObject({ rule: { name: "requests_per_hour", atOnce: 5 } });
    expect(sixth.refusal?.waitedMs).toBeCloseTo(1_000);
    expect(site.admission.snapshot().waiting).toBe(0);
  });
});

describe("a queue that has not been empty for 2 s", () => {
  test("takes only whoever need not wait for more than a second", () => {
    const site = new Site();
    site.exhaust();
    for (let count = 0; count < 4; count++) site.enter();
    site.clock.advance(2_500);
    // Two still wait, and the next would have 2.5 s to go.
    expect(site.enter().heard).toEqual(["capacity_reserved"]);
    site.clock.advance(1_400);
    expect(site.enter().heard).toEqual(["capacity_reserved"]);
    site.clock.advance(200);
    expect(site.enter().heard).toEqual(["wait"]);
  });
});

describe("the waiting room", () => {
  test("is bounded over all consumers; whoever finds it full is refused with its size", () => {
    const site = new Site({ maxWaiting: 2 });
    site.exhaust("ann");
    site.exhaust("bob");
    const clients = ["ann", "bob", "bob"].map((name) => site.enter(name));
    expect(clients.map(({ heard }) => heard[0])).toEqual(["wait", "wait", "queue_full"]);
    expect(clients[2]?.refusal?.rule).toEqual({ kind: "queue", waiting: 2, maxWaiting: 2 });
  });

  test("of no places refuses as in reject mode", () => {
    const site = new Site({ maxWaiting: 0 });
    site.exhaust();
    expect(site.enter().refusal).toMatchObject({ outcome: "capacity_reserved" });
  });

  test("turns out whoever has waited as long as it may", () => {
    const site = new Site();
    site.exhaust("ann");
    const client = site.enter("ann", { patience: 1_500 });
    // Now the capacity is shared, and the turn comes later than was foreseen.
    site.exhaust("bob");
    site.clock.advance(10_000);
    expect(client.heard).toEqual(["wait", "queue_timeout@1500"]);
    expect(client.refusal?.waitedMs).toBe(1_500);
    expect(client.refusal?.rule).toMatchObject({ kind: "share", share: "ann" });
    expect(site.clock.pending).toBe(0);
  });

  test("lets clients leave, once, and the next moves up", () => {
    const site = new Site();
    site.exhaust();
    const [first, second] = [site.enter(), site.enter()];
    expect(first?.place?.leave()).toBe(true);
    expect(first?.place?.leave()).toBe(false);
    site.clock.advance(5_000);
    expect([first?.heard, second?.heard]).toEqual([["wait"], ["wait", "admitted@1000"]]);
    expect(second?.place?.leave()).toBe(false);
    expect(site.admission.snapshot()).toMatchObject({ left: 1, waiting: 0, running: 5 });
  });

  test("is emptied by a drain, and everybody has an answer", () => {
    const site = new Site();
    site.exhaust();
    const clients = [site.enter(), site.enter(), site.enter("ann", { patience: Infinity })];
    site.admission.drain();
    expect(clients.map(({ heard }) => heard)).toEqual(clients.map(() => ["wait", "draining@0"]));
    expect(site.clock.pending).toBe(0);
  });

  test("lets the next one in at once when a refund makes room", () => {
    const site = new Site();
    const charges = Array.from({ length: 4 }, () => site.enter().charge);
    const client = site.enter();
    charges[0]?.settle("nothing");
    expect(client.heard).toEqual(["wait", "admitted@0"]);
  });

  test("notices within a second that others have left capacity free", () => {
    const site = new Site({ requestShares: { ...SHARES, unitsPerMinute: 12 } });
    site.exhaust("ann");
    const bobs = Array.from({ length: 4 }, () => site.enter("bob").charge);
    const client = site.enter("ann", { patience: 60_000 });
    // Shared it would take 10 s, alone 5.
    for (const charge of bobs) charge?.settle("nothing");
    site.clock.advance(6_000);
    expect(client.heard).toEqual(["wait", "admitted@5000"]);
  });

  test("keeps its places through a new configuration, which may give them more, or take their share away", () => {
    const site = new Site();
    site.exhaust();
    const client = site.enter();
    site.admission.reconfigure({ ...CONFIG, requestShares: { ...SHARES, unitsPerMinute: 120 } });
    site.clock.advance(1_000);
    expect(client.heard).toEqual(["wait", "admitted@500"]);
    expect(site.enter().heard).toEqual(["admit"]);
    const next = site.enter();
    site.admission.reconfigure({ ...CONFIG, requestShares: { ...SHARES, reservations: [] } });
    site.clock.advance(0);
    expect(next.heard).toEqual(["wait", "admitted@1000"]);
  });
});

describe("a waiter that is admitted can", () => {
  test("settle on the spot, and the next one moves up, ten thousand times", () => {
    const site = new Site({ maxWaiting: 20_000 });
    site.exhaust();
    const clients = Array.from({ length: 10_000 }, () => site.enter("ann", { patience: Infinity }));
    for (const client of clients) client.onAdmitted = () => client.charge?.settle("nothing");
    site.clock.advance(2_000);
    expect(clients.every(({ heard }) => heard.length === 2)).toBe(true);
    expect(site.admission.snapshot()).toMatchObject({ waiting: 0, running: 4 });
  });

  test("enter again, make another leave, and drain", () => {
    const site = new Site();
    site.exhaust();
    const [first, second, third] = [site.enter(), site.enter(), site.enter()];
    let again: Client | undefined;
    if (first !== undefined) {
      first.onAdmitted = () => {
        again = site.enter();
        second?.place?.leave();
        site.admission.drain();
      };
    }
    site.clock.advance(5_000);
    expect([second?.heard, third?.heard, again?.heard]).toEqual([
      ["wait"],
      ["wait", "draining@1000"],
      ["wait", "draining@1000"],
    ]);
    expect(site.clock.pending).toBe(0);
  });
});
