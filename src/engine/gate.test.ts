import { describe, expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Gate, type GateConfig, type GateRequest, type Place, type Refused, type Waiter } from "./gate.ts";
import type { Lease } from "./lease.ts";

const CONFIG: GateConfig = {
  seats: 1,
  maxInflightTokens: Infinity,
  maxLength: 100,
  maxBytes: 1_000_000,
  initialEstimateMs: 1,
  shares: [{ name: "pool", weight: 1 }],
};

/** One request and everything that it hears, by verdict or by callback. */
class Client implements Waiter {
  readonly heard: string[] = [];
  lease: Lease | undefined;
  place: Place | undefined;
  refusal: Refused | undefined;

  admitted(lease: Lease): void {
    this.lease = lease;
    this.heard.push("admitted");
  }

  refused(refusal: Refused): void {
    this.refusal = refusal;
    this.heard.push(refusal.outcome);
  }
}

interface Site {
  readonly clock: VirtualClock;
  readonly gate: Gate;
  /** Lets a client ask for a seat. */
  readonly enter: (client: Client, request?: Partial<GateRequest>) => Client;
}

function setup(config: Partial<GateConfig> = {}): Site {
  const clock = new VirtualClock();
  const gate = new Gate({ ...CONFIG, ...config }, clock);
  const enter = (client: Client, request: Partial<GateRequest> = {}): Client => {
    const defaults = { share: "pool", member: "a", tokens: 0, bytes: 0, deadline: clock.now() + 60_000 };
    const verdict = gate.enter({ ...defaults, ...request }, client);
    if (verdict.kind === "admit") {
      client.lease = verdict.lease;
      client.heard.push("admit");
    } else if (verdict.kind === "wait") {
      client.place = verdict.place;
      client.heard.push("wait");
    } else {
      client.refusal = verdict;
      client.heard.push(`refuse ${verdict.outcome}`);
    }
    return client;
  };
  return { clock, gate, enter };
}

/** Lets `count` clients enter, one after the other. */
function enterMany({ enter }: Site, count: number, request: Partial<GateRequest> = {}): Client[] {
  return Array.from({ length: count }, () => enter(new Client(), request));
}

function expectEmpty({ gate, clock }: Site): void {
  expect(gate.snapshot()).toMatchObject({ inFlight: 0, waiting: 0, waitingBytes: 0, tokensInFlight: 0 });
  expect(clock.pending).toBe(0);
}

describe("a seat", () => {
  test("that is free is given within the call, and the waiter hears nothing", () => {
    const site = setup({ seats: 2 });
    const clients = enterMany(site, 3);
    expect(clients.map(({ heard }) => heard)).toEqual([["admit"], ["admit"], ["wait"]]);
    expect(site.gate.occupancy).toEqual({ seats: 2, inFlight: 2, waiting: 1, maxWaiting: 100 });
  });

  test("that is freed wakes exactly one waiter, before the call that freed it returns", () => {
    const site = setup();
    const [first, second, third] = enterMany(site, 3);
    site.clock.advance(70);
    first?.lease?.settle("completed");
    expect(second?.heard).toEqual(["wait", "admitted"]);
    expect(second?.lease?.waitedMs).toBe(70);
    expect(third?.heard).toEqual(["wait"]);
    expect(site.clock.now()).toBe(70);
  });

  test("goes to the members in turn, however many requests one of them has waiting", () => {
    const site = setup();
    const holder = site.enter(new Client());
    const greedy = enterMany(site, 5, { member: "greedy" });
    const modest = site.enter(new Client(), { member: "modest" });
    for (let turns = 0, lease = holder.lease; turns < 2; turns++) {
      lease?.settle("completed");
      lease = greedy[0]?.lease;
    }
    expect(modest.heard).toEqual(["wait", "admitted"]);
    expect(greedy.filter(({ lease }) => lease !== undefined)).toHaveLength(1);
  });

  test("is not given while the tokens in flight leave no room, and is as soon as they do", () => {
    const site = setup({ seats: 5, maxInflightTokens: 100 });
    const big = site.enter(new Client(), { tokens: 80 });
    const [waits, waitsBehind] = enterMany(site, 2, { tokens: 40 });
    expect(waits?.heard).toEqual(["wait"]);
    expect(site.gate.snapshot()).toMatchObject({ tokensInFlight: 80, maxInflightTokens: 100, waiting: 2 });
    big.lease?.settle("completed");
    expect([waits?.heard, waitsBehind?.heard]).toEqual([
      ["wait", "admitted"],
      ["wait", "admitted"],
    ]);
    expect(site.gate.snapshot().tokensInFlight).toBe(80);
  });
});

describe("a lease", () => {
  test("that is settled again changes nothing and is counted", () => {
    const site = setup();
    const [first, second, third] = enterMany(site, 3);
    first?.lease?.settle("completed");
    first?.lease?.settle("client_closed");
    first?.lease?.[Symbol.dispose]();
    expect(third?.heard).toEqual(["wait"]);
    expect(site.gate.snapshot()).toMatchObject({ inFlight: 1, endings: { completed: 1 }, lateSettlements: 1 });
    second?.lease?.settle("completed");
    third?.lease?.settle("completed");
    expectEmpty(site);
  });

  test("that is disposed of unsettled frees its seat as abandoned", () => {
    const site = setup();
    const [first, second] = enterMany(site, 2);
    first?.lease?.[Symbol.dispose]();
    expect(second?.heard).toEqual(["wait", "admitted"]);
    expect(site.gate.snapshot().endings).toEqual({ abandoned: 1 });
  });
});

describe("a deadline", () => {
  test("is counted from the arrival, not from the moment the request reaches the gate", () => {
    const site = setup();
    site.enter(new Client());
    const arrivedAt = site.clock.now();
    site.clock.advance(60);
    const late = site.enter(new Client(), { deadline: arrivedAt + 100 });
    site.clock.advance(39);
    expect(late.heard).toEqual(["wait"]);
    site.clock.advance(1);
    expect(late.heard).toEqual(["wait", "queue_timeout"]);
    expect(late.refusal?.waitedMs).toBe(40);
  });

  test("that has passed on arrival does not matter where a seat is free", () => {
    const site = setup();
    site.clock.advance(100);
    expect(site.enter(new Client(), { deadline: 50 }).heard).toEqual(["admit"]);
    expect(site.clock.pending).toBe(0);
  });

  test("needs one timer, whoever waits, and none when nobody does", () => {
    const site = setup();
    const holder = site.enter(new Client());
    expect(site.clock.pending).toBe(0);
    const waiting = [300, 100, 200].map((ms) => site.enter(new Client(), { deadline: ms }));
    expect(site.clock.pending).toBe(1);
    site.clock.advance(100);
    expect(waiting.map(({ heard }) => heard.length)).toEqual([1, 2, 1]);
    expect(site.clock.pending).toBe(1);
    for (const client of waiting) client.place?.leave();
    expect(site.clock.pending).toBe(0);
    holder.lease?.settle("completed");
    expectEmpty(site);
  });

  test("is over with the wait: who has a seat keeps it", () => {
    const site = setup();
    const [first, second] = enterMany(site, 2, { deadline: 100 });
    first?.lease?.settle("completed");
    expect(site.clock.pending).toBe(0);
    site.clock.advance(1_000);
    expect(second?.heard).toEqual(["wait", "admitted"]);
    expect(site.gate.occupancy.inFlight).toBe(1);
  });

  test("that the own queue would miss refuses at once, and says when to come back", () => {
    const site = setup({ initialEstimateMs: 1_000 });
    enterMany(site, 4);
    const hopeless = site.enter(new Client(), { deadline: 2_000 });
    expect(hopeless.heard).toEqual(["refuse queue_full"]);
    expect(hopeless.refusal).toMatchObject({ retryAfterMs: 2_000, waitedMs: 0 });
    expect(site.gate.snapshot()).toMatchObject({ waiting: 3, refused: { queue_full: 1 } });
  });
});

describe("whoever waits", () => {
  test("can leave once, and hears nothing after that", () => {
    const site = setup();
    const [first, second, third] = enterMany(site, 3);
    expect(second?.place?.leave()).toBe(true);
    expect(second?.place?.leave()).toBe(false);
    first?.lease?.settle("completed");
    expect(second?.heard).toEqual(["wait"]);
    expect(third?.heard).toEqual(["wait", "admitted"]);
    expect(site.gate.snapshot().left).toBe(1);
  });

  test("cannot leave once it has a seat", () => {
    const site = setup();
    const [first, second] = enterMany(site, 2);
    first?.lease?.settle("completed");
    expect(second?.place?.leave()).toBe(false);
    expect(site.gate.snapshot()).toMatchObject({ inFlight: 1, left: 0 });
  });

  test("lets a smaller one pass when it leaves from the head of the queue", () => {
    const site = setup({ seats: 3, maxInflightTokens: 100 });
    site.enter(new Client(), { tokens: 60 });
    const large = site.enter(new Client(), { tokens: 90 });
    const small = site.enter(new Client(), { tokens: 30 });
    expect(small.heard).toEqual(["wait"]);
    large.place?.leave();
    expect(small.heard).toEqual(["wait", "admitted"]);
  });

  test("is put out of a full queue by a member that has less in it", () => {
    const site = setup({ maxLength: 2 });
    site.enter(new Client());
    const [stays, goes] = enterMany(site, 2, { member: "greedy" });
    const newcomer = site.enter(new Client(), { member: "modest" });
    expect(newcomer.heard).toEqual(["wait"]);
    expect(stays?.heard).toEqual(["wait"]);
    expect(goes?.heard).toEqual(["wait", "queue_full"]);
    expect(site.enter(new Client(), { member: "greedy" }).heard).toEqual(["refuse queue_full"]);
    expect(site.gate.snapshot()).toMatchObject({ waiting: 2, refused: { queue_full: 2 } });
  });

  test("is nobody where the queue has no places", () => {
    const site = setup({ maxLength: 0 });
    expect(enterMany(site, 2).map(({ heard }) => heard)).toEqual([["admit"], ["refuse queue_full"]]);
    expect(site.clock.pending).toBe(0);
  });
});

describe("without seats", () => {
  test("those who wait hold on, and their deadline says that no backend came back", () => {
    const site = setup({ seats: 2 });
    const running = enterMany(site, 2);
    site.gate.setSeats(0);
    for (const { lease } of running) lease?.settle("completed");
    const [hasty, patient] = [100, 500].map((deadline) => site.enter(new Client(), { deadline }));
    site.clock.advance(200);
    expect(hasty?.heard).toEqual(["wait", "no_backend"]);
    expect(patient?.heard).toEqual(["wait"]);
    site.gate.setSeats(1);
    expect(patient?.heard).toEqual(["wait", "admitted"]);
    expect(site.gate.snapshot().refused).toEqual({ no_backend: 1 });
  });

  test("nobody starts, and whoever is in a seat goes on", () => {
    const site = setup({ seats: 2 });
    const [first] = enterMany(site, 2);
    site.gate.setSeats(0);
    const waits = site.enter(new Client());
    expect(site.gate.occupancy).toEqual({ seats: 0, inFlight: 2, waiting: 1, maxWaiting: 100 });
    first?.lease?.settle("completed");
    expect(waits.heard).toEqual(["wait"]);
  });
});

test("more seats are filled within the call that adds them, and no further", () => {
  const site = setup();
  const clients = enterMany(site, 5);
  site.gate.setSeats(3);
  expect(clients.filter(({ lease }) => lease !== undefined)).toHaveLength(3);
  site.gate.setSeats(2);
  clients[0]?.lease?.settle("completed");
  expect(site.gate.occupancy).toMatchObject({ inFlight: 2, waiting: 2 });
});

describe("draining", () => {
  test("answers the waiting at once, refuses the coming, and lets the running end", () => {
    const site = setup();
    const [running, ...waiting] = enterMany(site, 4);
    let idle = 0;
    site.gate.drain();
    site.gate.whenIdle(() => (idle += 1));
    expect(waiting.map(({ heard }) => heard)).toEqual(waiting.map(() => ["wait", "draining"]));
    expect(site.clock.pending).toBe(0);
    const late = site.enter(new Client());
    expect(late.heard).toEqual(["refuse draining"]);
    expect(late.refusal?.retryAfterMs).toBeGreaterThan(0);
    expect(idle).toBe(0);
    running?.lease?.settle("completed");
    expect(idle).toBe(1);
    expect(site.gate.snapshot()).toMatchObject({ endings: { completed: 1 }, refused: { draining: 4 } });
    expectEmpty(site);
  });

  test("again changes nothing", () => {
    const site = setup();
    const [, waits] = enterMany(site, 2);
    site.gate.drain();
    site.gate.drain();
    expect(waits?.heard).toEqual(["wait", "draining"]);
  });

  test("finds also those who would wait for ever", () => {
    const site = setup();
    const [, waits] = enterMany(site, 2, { deadline: Infinity });
    site.gate.drain();
    expect(waits?.heard).toEqual(["wait", "draining"]);
  });
});

test("`whenIdle` calls once: at once where nobody is inside, else when the last one has gone", () => {
  const site = setup();
  let calls = 0;
  site.gate.whenIdle(() => (calls += 1));
  expect(calls).toBe(1);
  const [first, second] = enterMany(site, 2);
  site.gate.whenIdle(() => (calls += 1));
  first?.lease?.settle("completed");
  expect(calls).toBe(1);
  second?.lease?.settle("completed");
  enterMany(site, 1)[0]?.lease?.settle("completed");
  expect(calls).toBe(2);
});
