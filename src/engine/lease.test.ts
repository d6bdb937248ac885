import { describe, expect, test } from "vitest";
import type { Ticket } from "../core/dispatch/types.ts";
import { type Lease, SeatLease } from "./lease.ts";

const TICKET: Ticket<undefined> = {
  payload: undefined,
  state: "running",
  tokens: 0,
  bytes: 0,
  offeredAt: 100,
  startedAt: 140,
  memberName: "a",
};

function setup(): { lease: Lease; heard: string[] } {
  const heard: string[] = [];
  const lease = new SeatLease(
    { release: (_, ending) => heard.push(ending), settledAgain: () => heard.push("again") },
    TICKET,
  );
  return { lease, heard };
}

test("says how long its request waited", () => {
  expect(setup().lease.waitedMs).toBe(40);
});

describe("a lease gives its seat back", () => {
  test("once, when it is settled", () => {
    const { lease, heard } = setup();
    expect(lease.settled).toBe(false);
    expect(lease.settle("completed")).toBe(true);
    expect(lease.settled).toBe(true);
    expect(heard).toEqual(["completed"]);
  });

  test("once, however often it is settled; the others are counted", () => {
    const { lease, heard } = setup();
    lease.settle("completed");
    expect(lease.settle("client_closed")).toBe(false);
    expect(lease.settle("completed")).toBe(false);
    expect(heard).toEqual(["completed", "again", "again"]);
  });

  test("as abandoned, when it is disposed of unsettled", () => {
    const { lease, heard } = setup();
    lease[Symbol.dispose]();
    expect(lease.settled).toBe(true);
    expect(heard).toEqual(["abandoned"]);
  });

  test("not again, when it is disposed of after that", () => {
    const { lease, heard } = setup();
    lease.settle("completed");
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    expect(heard).toEqual(["completed"]);
  });

  test("once, when its owner settles it again while it takes the seat back", () => {
    const heard: string[] = [];
    const lease: Lease = new SeatLease(
      {
        release: (_, ending) => {
          heard.push(ending);
          lease.settle("completed");
          lease[Symbol.dispose]();
        },
        settledAgain: () => heard.push("again"),
      },
      TICKET,
    );
    lease.settle("draining");
    expect(heard).toEqual(["draining", "again"]);
  });
});
