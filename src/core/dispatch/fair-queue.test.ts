import { describe, expect, test } from "vitest";
import { FairQueue } from "./fair-queue.ts";
import { MAX_IDLE_MEMBERS } from "./roster.ts";
import type { Arrival, FairQueueConfig, MemberSnapshot, Offer, Ticket } from "./types.ts";

const CONFIG: FairQueueConfig = {
  seats: 1,
  maxInflightTokens: Infinity,
  maxLength: 100,
  maxBytes: 1_000_000,
  initialEstimateMs: 1_000,
  shares: [
    { name: "pool", weight: 1 },
    { name: "gold", weight: 3 },
  ],
};

function queueWith(config: Partial<FairQueueConfig> = {}): FairQueue<string> {
  return new FairQueue<string>({ ...CONFIG, ...config });
}

/** Offers a request of "member" of the pool, or of "share/member". */
function offer(queue: FairQueue<string>, who: string, arrival: Partial<Arrival<string>> = {}): Offer<string> {
  const [share, member] = who.includes("/") ? who.split("/") : ["pool", who];
  const defaults = { tokens: 0, bytes: 0, patienceMs: Infinity, payload: who };
  return queue.offer({ ...defaults, share: share ?? "", member: member ?? "", ...arrival }, 0);
}

function letIn(queue: FairQueue<string>, who: string, arrival: Partial<Arrival<string>> = {}): Ticket<string> {
  const answer = offer(queue, who, arrival);
  if (answer.kind !== "queued") throw new Error(`${who} is refused: ${answer.kind}`);
  return answer.ticket;
}

function start(queue: FairQueue<string>, now = 0): Ticket<string> {
  const ticket = queue.next(now);
  if (ticket === undefined) throw new Error("nobody starts");
  return ticket;
}

/** Starts and finishes requests one after the other, each after `stepMs`, and tells whose they were. */
function serve(queue: FairQueue<string>, count: number, stepMs = 1_000): string[] {
  return Array.from({ length: count }, (_, index) => {
    const ticket = start(queue, index * stepMs);
    queue.complete(ticket, (index + 1) * stepMs);
    return ticket.payload;
  });
}

function member(queue: FairQueue<string>, name: string): MemberSnapshot | undefined {
  return [...queue.members()].find((row) => row.name === name);
}

describe("turns", () => {
  test("are nobody's when nothing waits, and nobody's when no seat is free", () => {
    const queue = queueWith();
    expect(queue.next(0)).toBeUndefined();
    letIn(queue, "a");
    letIn(queue, "a");
    start(queue);
    expect(queue.next(0)).toBeUndefined();
    expect([queue.running, queue.waiting]).toEqual([1, 1]);
  });

  test("alternate between the members of a share", () => {
    const queue = queueWith();
    for (const who of ["a", "a", "a", "b", "b", "c"]) letIn(queue, who);
    expect(serve(queue, 6)).toEqual(["a", "b", "c", "a", "b", "a"]);
  });

  test("come by weight between shares", () => {
    const queue = queueWith();
    for (let count = 0; count < 8; count += 1) for (const who of ["a", "gold/b"]) letIn(queue, who);
    const served = serve(queue, 8);
    expect(served.filter((who) => who === "gold/b").length).toBe(6);
  });

  test("are longer apart for a member whose requests take longer", () => {
    const queue = queueWith({ maxLength: 1_000 });
    for (let count = 0; count < 200; count += 1) for (const who of ["slow", "quick"]) letIn(queue, who);
    const usedMs = { slow: 0, quick: 0 };
    for (let now = 0; now < 100_000;) {
      const ticket = start(queue, now);
      const isSlow = ticket.payload === "slow";
      now += isSlow ? 4_000 : 500;
      usedMs[isSlow ? "slow" : "quick"] += isSlow ? 4_000 : 500;
      queue.complete(ticket, now);
    }
    expect(Math.abs(usedMs.slow - usedMs.quick)).toBeLessThan(9_000);
  });

  test("go first to whoever got backlogged first when all is equal", () => {
    const queue = queueWith({ seats: 3 });
    for (const who of ["c", "a", "gold/x", "b"]) letIn(queue, who);
    expect([start(queue), start(queue), start(queue)].map(({ payload }) => payload)).toEqual(["c", "gold/x", "a"]);
  });
});

describe("the token cap", () => {
  test("holds back the fairest request, and nobody passes it", () => {
    const queue = queueWith({ seats: 3, maxInflightTokens: 10 });
    const first = letIn(queue, "a", { tokens: 6 });
    letIn(queue, "b", { tokens: 5 });
    letIn(queue, "c", { tokens: 1 });
    start(queue);
    expect(queue.next(0)).toBeUndefined();
    queue.complete(first, 100);
    expect([start(queue, 100).payload, start(queue, 100).payload]).toEqual(["b", "c"]);
    expect(queue.runningTokens).toBe(6);
  });

  test("counts a request that is larger as the cap: it runs alone", () => {
    const queue = queueWith({ seats: 3, maxInflightTokens: 10 });
    const whale = letIn(queue, "a", { tokens: 50 });
    letIn(queue, "b", { tokens: 1 });
    start(queue);
    expect([queue.runningTokens, queue.next(0)]).toEqual([10, undefined]);
    queue.complete(whale, 10);
    expect(start(queue, 10).payload).toBe("b");
  });
});

describe("a full queue", () => {
  test("of length 0 still lets in what finds a seat free", () => {
    const queue = queueWith({ maxLength: 0, maxBytes: 0 });
    expect(offer(queue, "a", { bytes: 10 }).kind).toBe("queued");
    expect(offer(queue, "b").kind).toBe("full");
    start(queue);
    expect(offer(queue, "b")).toEqual({ kind: "full", predictedWaitMs: 1_000 });
  });

  test("pushes out the newest request of the fattest member for a thinner one", () => {
    const queue = queueWith({ maxLength: 3 });
    const [first, second] = [letIn(queue, "fat"), letIn(queue, "fat")];
    letIn(queue, "thin");
    const answer = offer(queue, "new");
    expect(answer).toMatchObject({ kind: "queued", pushedOut: [second] });
    expect([first.state, second.state, queue.waiting]).toEqual(["waiting", "gone", 3]);
  });

  test("refuses a newcomer that would be as fat as the fattest", () => {
    const queue = queueWith({ maxLength: 2 });
    letIn(queue, "a");
    letIn(queue, "b");
    expect(offer(queue, "c").kind).toBe("full");
    expect(offer(queue, "a").kind).toBe("full");
  });

  test("takes a share with three times the weight for three times as thin", () => {
    const queue = queueWith({ maxLength: 2 });
    letIn(queue, "a");
    letIn(queue, "a");
    expect(offer(queue, "gold/b")).toMatchObject({ kind: "queued" });
    expect(offer(queue, "gold/b")).toMatchObject({ kind: "queued" });
    expect(offer(queue, "gold/b").kind).toBe("full");
  });

  test("pushes out several requests for one of many bytes", () => {
    const queue = queueWith({ maxBytes: 100 });
    const tickets = [40, 30, 30].map((bytes) => letIn(queue, "fat", { bytes }));
    const answer = offer(queue, "new", { bytes: 45 });
    expect(answer).toMatchObject({ kind: "queued", pushedOut: [tickets[2], tickets[1]] });
    expect(queue.waitingBytes).toBe(85);
  });

  test("pushes out nothing when that does not make enough room", () => {
    const queue = queueWith({ maxBytes: 100, seats: 2 });
    letIn(queue, "fat", { bytes: 60 });
    letIn(queue, "fat", { bytes: 40 });
    expect(offer(queue, "new", { bytes: 60 })).toEqual({ kind: "full", predictedWaitMs: 1_000 });
    expect(offer(queue, "new", { bytes: 101 })).toEqual({ kind: "full", predictedWaitMs: 1_500 });
    expect([queue.waiting, queue.waitingBytes]).toEqual([2, 100]);
  });
});

describe("patience", () => {
  test("bounds a member's own queue by its predicted wait, and the excess is when to come back", () => {
    const queue = queueWith();
    letIn(queue, "a");
    start(queue);
    letIn(queue, "a");
    letIn(queue, "a", { patienceMs: 2_000 });
    expect(offer(queue, "a", { patienceMs: 2_000 })).toEqual({ kind: "hopeless", predictedWaitMs: 1_000 });
  });

  test("counts on as many seats as the member's part of those that wait", () => {
    const queue = queueWith({ seats: 2 });
    for (const who of ["a", "a", "b", "gold/c"]) letIn(queue, who);
    // Two seats, a quarter of them for the pool, half of that for a: 3 requests of 1 s need 12 s.
    expect(offer(queue, "a", { patienceMs: 11_999 })).toEqual({ kind: "hopeless", predictedWaitMs: 1 });
    expect(offer(queue, "a", { patienceMs: 12_000 }).kind).toBe("queued");
  });

  test("never refuses the only waiting request of a member", () => {
    const queue = queueWith();
    letIn(queue, "a");
    start(queue);
    expect(offer(queue, "a", { patienceMs: 0 }).kind).toBe("queued");
    expect(offer(queue, "b", { patienceMs: 0 }).kind).toBe("queued");
  });
});

describe("what a request costs", () => {
  test("is learned from those of its member that have finished, and new members learn from their share", () => {
    const queue = queueWith({ seats: 4 });
    const first = letIn(queue, "a");
    letIn(queue, "gold/b");
    start(queue);
    start(queue);
    queue.complete(first, 11_000);
    for (const who of ["a", "new", "gold/c"]) letIn(queue, who);
    const estimates = ["a", "b", "new", "c"].map((name) => member(queue, name)?.estimateMs);
    expect(estimates).toEqual([2_000, 1_000, 2_000, 2_000]);
  });

  test("is owed by the member that used more than was charged, and paid on its own turn", () => {
    const queue = queueWith();
    for (const who of ["a", "a", "b", "b"]) letIn(queue, who);
    queue.complete(start(queue, 0), 4_000);
    expect(member(queue, "a")?.debtMs).toBe(3_000);
    queue.complete(start(queue, 4_000), 5_000);
    expect(member(queue, "a")?.debtMs).toBe(3_000);
    expect(start(queue, 5_000).payload).toBe("b");
    expect(member(queue, "a")?.debtMs).toBeLessThan(3_000);
  });

  test("is charged while it still runs, at most every 250 ms and only for the sake of others", () => {
    const queue = queueWith({ seats: 2 });
    letIn(queue, "a");
    start(queue);
    expect(queue.next(5_000)).toBeUndefined();
    expect(member(queue, "a")?.debtMs).toBe(0);
    letIn(queue, "b");
    const other = start(queue, 5_000);
    expect(member(queue, "a")?.debtMs).toBe(4_000);
    queue.complete(other, 5_249);
    letIn(queue, "b");
    queue.complete(start(queue, 5_249), 5_250);
    expect(member(queue, "a")?.debtMs).toBe(4_000);
    letIn(queue, "b");
    start(queue, 5_250);
    expect(member(queue, "a")?.debtMs).toBe(4_250);
  });

  test("is given back when it was charged too much", () => {
    const queue = queueWith();
    for (const who of ["a", "a", "a", "b", "b"]) letIn(queue, who);
    queue.complete(start(queue, 0), 1);
    expect(start(queue, 1).payload).toBe("b");
    queue.setSeats(3);
    expect([start(queue, 1).payload, start(queue, 1).payload]).toEqual(["a", "a"]);
  });

  test("is never nothing: members whose requests take no time still take turns", () => {
    const queue = queueWith({ maxLength: 10_000 });
    for (let count = 0; count < 5_000; count += 1) for (const who of ["a", "b"]) letIn(queue, who);
    const served = serve(queue, 10_000, 0);
    expect(served.slice(-1_000).filter((who) => who === "a").length).toBe(500);
  });

  test("is forgiven when nothing waits and nothing runs; the estimate stays", () => {
    const queue = queueWith();
    letIn(queue, "a");
    queue.complete(start(queue, 0), 11_000);
    expect([...queue.members()]).toEqual([]);
    letIn(queue, "a");
    expect(member(queue, "a")).toMatchObject({ debtMs: 0, estimateMs: 2_000 });
  });
});

test("a share does not pay in a new busy period for members that left in an old one", () => {
  const queue = queueWith({ seats: 4, shares: CONFIG.shares.map((share) => ({ ...share, weight: 1 })) });
  const guest = letIn(queue, "gold/guest");
  start(queue, 0);
  const other = letIn(queue, "a");
  start(queue, 9_000);
  queue.complete(guest, 10_000);
  queue.complete(other, 10_000);
  for (const who of ["gold/b", "gold/b", "a", "a", "a"]) letIn(queue, who);
  const order = Array.from({ length: 4 }, () => start(queue, 20_000).payload);
  expect(order).toEqual(["gold/b", "a", "a", "gold/b"]);
});

describe("a ticket", () => {
  test("tells what became of the request", () => {
    const queue = queueWith();
    const ticket = letIn(queue, "a", { tokens: 3, bytes: 5 });
    expect(ticket).toMatchObject({
      payload: "a",
      memberName: "a",
      tokens: 3,
      bytes: 5,
      state: "waiting",
      startedAt: 0,
    });
    expect(queue.next(7)).toBe(ticket);
    expect(ticket).toMatchObject({ state: "running", offeredAt: 0, startedAt: 7 });
    queue.complete(ticket, 9);
    expect(ticket.state).toBe("gone");
  });

  test("is cancelled only while it waits, and completed only while it runs", () => {
    const queue = queueWith();
    const [first, second] = [letIn(queue, "a"), letIn(queue, "a")];
    expect(queue.complete(first, 0)).toBe(false);
    start(queue);
    expect([queue.cancel(first), queue.cancel(second), queue.cancel(second)]).toEqual([false, true, false]);
    expect([queue.complete(first, 5), queue.complete(first, 5)]).toEqual([true, false]);
    expect([queue.waiting, queue.running]).toEqual([0, 0]);
  });

  test("of another queue is not touched", () => {
    const ticket = letIn(queueWith(), "a");
    const queue = queueWith();
    letIn(queue, "a");
    expect([queue.cancel(ticket), queue.complete(ticket, 0), queue.cancel({ ...ticket })]).toEqual([
      false,
      false,
      false,
    ]);
    expect([ticket.state, queue.waiting]).toEqual(["waiting", 1]);
  });
});

describe("the seats", () => {
  test("may become fewer: what runs finishes, and nothing starts meanwhile", () => {
    const queue = queueWith({ seats: 2 });
    const tickets = ["a", "b", "c"].map((who) => letIn(queue, who));
    start(queue);
    start(queue);
    queue.setSeats(1);
    queue.complete(tickets[0] ?? start(queue), 10);
    expect([queue.seats, queue.running, queue.next(10)]).toEqual([1, 1, undefined]);
    queue.setSeats(2);
    expect(start(queue, 10)).toBe(tickets[2]);
  });

  test("may be none: requests wait", () => {
    const queue = queueWith();
    queue.setSeats(0);
    letIn(queue, "a");
    expect(queue.next(0)).toBeUndefined();
    expect(offer(queue, "a", { patienceMs: 500 })).toEqual({ kind: "hopeless", predictedWaitMs: 1_500 });
  });
});

describe("the shares", () => {
  test("may change their weights while requests wait", () => {
    const queue = queueWith();
    for (let count = 0; count < 40; count += 1) for (const who of ["a", "gold/b"]) letIn(queue, who);
    serve(queue, 8);
    queue.setShares([
      { name: "pool", weight: 3 },
      { name: "gold", weight: 1 },
    ]);
    expect(serve(queue, 8).filter((who) => who === "a").length).toBe(6);
  });

  test("serve what they have when they are left out, and new requests go to the first one", () => {
    const queue = queueWith();
    letIn(queue, "gold/b");
    queue.setShares([{ name: "pool", weight: 1 }]);
    letIn(queue, "gold/b");
    expect([...queue.members()].map(({ share }) => share).toSorted()).toEqual(["gold", "pool"]);
    expect(serve(queue, 2)).toEqual(["gold/b", "gold/b"]);
    letIn(queue, "nowhere/c");
    expect(member(queue, "c")?.share).toBe("pool");
  });
});

test("members that are idle are remembered until 10 000 others have been idle since", () => {
  const queue = queueWith();
  const visit = (name: string): void => {
    letIn(queue, name);
    queue.complete(start(queue, 0), 11_000);
  };
  const estimate = (name: string): number => {
    const ticket = letIn(queue, name);
    const row = member(queue, name);
    queue.cancel(ticket);
    return row?.estimateMs ?? Number.NaN;
  };
  visit("early");
  for (let count = 1; count < MAX_IDLE_MEMBERS; count += 1) visit(`m${count}`);
  expect(estimate("early")).toBe(2_000);
  visit("one more");
  visit("and another");
  expect(estimate("m1")).toBeGreaterThan(10_000);
  expect(estimate("early")).toBe(2_000);
});
