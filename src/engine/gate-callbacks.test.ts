/** What a waiter may do from inside its callbacks: anything that it may do outside of them. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Gate, type GateConfig, type GateRequest, type Place, type Refused, type Waiter } from "./gate.ts";
import type { Lease } from "./lease.ts";

const CONFIG: GateConfig = {
  seats: 1,
  maxInflightTokens: Infinity,
  maxLength: 10_000,
  maxBytes: 1_000_000,
  initialEstimateMs: 1,
  shares: [{ name: "pool", weight: 1 }],
};

/** One request, what it hears, and what it does when it hears it. */
class Client implements Waiter {
  readonly heard: string[] = [];
  lease: Lease | undefined;
  place: Place | undefined;
  onAdmitted: (lease: Lease) => void;
  onRefused: () => void;

  constructor({ onAdmitted, onRefused }: Partial<Pick<Client, "onAdmitted" | "onRefused">> = {}) {
    this.onAdmitted = onAdmitted ?? (() => {});
    this.onRefused = onRefused ?? (() => {});
  }

  admitted(lease: Lease): void {
    this.lease = lease;
    this.heard.push("admitted");
    this.onAdmitted(lease);
  }

  refused({ outcome }: Refused): void {
    this.heard.push(outcome);
    this.onRefused();
  }
}

interface Site {
  readonly clock: VirtualClock;
  readonly gate: Gate;
  readonly enter: (client: Client, request?: Partial<GateRequest>) => Client;
}

function setup(config: Partial<GateConfig> = {}): Site {
  const clock = new VirtualClock();
  const gate = new Gate({ ...CONFIG, ...config }, clock);
  const enter = (client: Client, request: Partial<GateRequest> = {}): Client => {
    const defaults = { share: "pool", member: "a", tokens: 0, bytes: 0, deadline: Infinity };
    const verdict = gate.enter({ ...defaults, ...request }, client);
    client.heard.push(verdict.kind === "refuse" ? `refuse ${verdict.outcome}` : verdict.kind);
    if (verdict.kind === "admit") client.lease = verdict.lease;
    if (verdict.kind === "wait") client.place = verdict.place;
    return client;
  };
  return { clock, gate, enter };
}

function expectEmpty({ gate, clock }: Site): void {
  expect(gate.snapshot()).toMatchObject({ inFlight: 0, waiting: 0, waitingBytes: 0 });
  expect(clock.pending).toBe(0);
}

describe("a waiter that is admitted can", () => {
  test("settle on the spot, and the seat goes on to the next, ten thousand times", () => {
    const site = setup();
    const holder = site.enter(new Client());
    const clients = Array.from({ length: 10_000 }, () =>
      site.enter(new Client({ onAdmitted: (lease) => lease.settle("no_backend") })),
    );
    holder.lease?.settle("completed");
    expect(clients.every(({ heard }) => heard.join(" ") === "wait admitted")).toBe(true);
    expect(site.gate.snapshot().endings).toEqual({ completed: 1, no_backend: 10_000 });
    expectEmpty(site);
  });

  test("enter again, and waits its turn", () => {
    const site = setup();
    const holder = site.enter(new Client());
    const again = new Client();
    const waits = site.enter(new Client({ onAdmitted: () => site.enter(again) }));
    holder.lease?.settle("completed");
    expect(again.heard).toEqual(["wait"]);
    waits.lease?.settle("completed");
    expect(again.heard).toEqual(["wait", "admitted"]);
    again.lease?.settle("completed");
    expectEmpty(site);
  });

  test("settle and enter again, and gets its seat after `enter` has returned", () => {
    const site = setup();
    const holder = site.enter(new Client());
    const again = new Client();
    site.enter(
      new Client({
        onAdmitted: (lease) => {
          lease.settle("completed");
          site.enter(again);
        },
      }),
    );
    holder.lease?.settle("completed");
    expect(again.heard).toEqual(["wait", "admitted"]);
    again.lease?.settle("completed");
    expectEmpty(site);
  });

  test("make another one leave that would have been next", () => {
    const site = setup();
    const holder = site.enter(new Client());
    const waits = site.enter(new Client());
    const [next, last] = [site.enter(new Client()), site.enter(new Client())];
    waits.onAdmitted = (lease) => {
      expect(next.place?.leave()).toBe(true);
      lease.settle("completed");
    };
    holder.lease?.settle("completed");
    expect(next.heard).toEqual(["wait"]);
    expect(last.heard).toEqual(["wait", "admitted"]);
  });

  test("take the seats away", () => {
    const site = setup({ seats: 2 });
    const holders = [site.enter(new Client()), site.enter(new Client())];
    const waits = site.enter(new Client({ onAdmitted: () => site.gate.setSeats(0) }));
    const next = site.enter(new Client());
    for (const { lease } of holders) lease?.settle("completed");
    expect(waits.heard).toEqual(["wait", "admitted"]);
    expect(next.heard).toEqual(["wait"]);
  });

  test("drain the gate, and everybody has an answer", () => {
    const site = setup();
    const holder = site.enter(new Client());
    const waits = site.enter(new Client({ onAdmitted: () => site.gate.drain() }));
    const next = site.enter(new Client());
    holder.lease?.settle("completed");
    expect(next.heard).toEqual(["wait", "draining"]);
    waits.lease?.settle("completed");
    expectEmpty(site);
  });
});

test("a waiter whose deadline has passed can come again", () => {
  const site = setup();
  const holder = site.enter(new Client());
  const again = new Client();
  site.enter(new Client({ onRefused: () => site.enter(again, { deadline: 150 }) }), { deadline: 100 });
  site.clock.advance(200);
  expect(again.heard).toEqual(["wait", "queue_timeout"]);
  expect(site.clock.pending).toBe(0);
  holder.lease?.settle("completed");
  expectEmpty(site);
});

test("a waiter that a drain turns away can make another one leave, and is refused when it comes again", () => {
  const site = setup();
  const holder = site.enter(new Client());
  const again = new Client();
  const waits = site.enter(new Client(), { deadline: 10 });
  const other = site.enter(new Client(), { deadline: 20 });
  waits.onRefused = () => {
    other.place?.leave();
    site.enter(again);
  };
  site.gate.drain();
  expect([waits.heard, other.heard, again.heard]).toEqual([["wait", "draining"], ["wait"], ["refuse draining"]]);
  holder.lease?.settle("completed");
  expectEmpty(site);
});

describe("a waiter that is put out of a full queue can, inside its callback,", () => {
  /** One seat and two places, all taken by `greedy`. */
  function full(): { site: Site; holder: Client; goes: Client; close: () => void } {
    const site = setup({ maxLength: 2 });
    const enter = (): Client => site.enter(new Client(), { member: "greedy" });
    const [holder, stays, goes] = [enter(), enter(), enter()];
    const close = (): void => {
      holder.lease?.[Symbol.dispose]();
      stays.lease?.settle("completed");
      expectEmpty(site);
    };
    return { site, holder, goes, close };
  }

  test("free a seat, which the newcomer has from the start if it is the fairest", () => {
    const { site, holder, goes, close } = full();
    goes.onRefused = () => holder.lease?.settle("completed");
    const newcomer = site.enter(new Client(), { member: "modest" });
    expect(newcomer.heard).toEqual(["admit"]);
    newcomer.lease?.settle("completed");
    close();
  });

  test("drain the gate, which refuses the newcomer from the start", () => {
    const { site, goes, close } = full();
    goes.onRefused = () => site.gate.drain();
    const newcomer = site.enter(new Client(), { member: "modest" });
    expect(newcomer.heard).toEqual(["refuse draining"]);
    close();
  });

  test("come back and put the newcomer out, which is refused from the start", () => {
    const { site, goes, close } = full();
    const again = new Client();
    goes.onRefused = () => site.enter(again, { member: "tiny" });
    const newcomer = site.enter(new Client(), { member: "modest", bytes: 600_000 });
    expect(again.heard).toEqual(["wait"]);
    expect(newcomer.heard).toEqual(["refuse queue_full"]);
    expect(site.gate.snapshot()).toMatchObject({ waiting: 2, refused: { queue_full: 2 } });
    again.place?.leave();
    close();
  });
});
