import { expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Deadlines, type Perishable } from "./deadlines.ts";

interface Milk extends Perishable {
  readonly name: string;
}

function milk(name: string, deadline: number): Milk {
  return { name, deadline, heapIndex: -1 };
}

function setup(): { clock: VirtualClock; expired: string[]; deadlines: Deadlines<Milk> } {
  const clock = new VirtualClock();
  const expired: string[] = [];
  const deadlines = new Deadlines<Milk>(clock, ({ name }) => expired.push(`${name}@${clock.now()}`));
  return { clock, expired, deadlines };
}

test("expire each at its own time, the earliest first", () => {
  const { clock, expired, deadlines } = setup();
  deadlines.add(milk("late", 30));
  deadlines.add(milk("early", 10));
  deadlines.add(milk("middle", 20));
  expect(deadlines.first?.name).toBe("early");
  clock.advance(100);
  expect(expired).toEqual(["early@10", "middle@20", "late@30"]);
  expect(deadlines.first).toBeUndefined();
  expect(clock.pending).toBe(0);
});

test("share one timer, however many there are", () => {
  const { clock, deadlines } = setup();
  for (let index = 0; index < 100; index++) deadlines.add(milk(`${index}`, 1_000 - index));
  expect(clock.pending).toBe(1);
  for (let passed = 0; passed < 950; passed += 50) {
    clock.advance(50);
    expect(clock.pending).toBe(1);
  }
  clock.advance(50);
  expect(clock.pending).toBe(0);
});

test("need no timer when the last one leaves", () => {
  const { clock, expired, deadlines } = setup();
  const entries = [milk("a", 10), milk("b", 20)];
  for (const entry of entries) deadlines.add(entry);
  for (const entry of entries) deadlines.remove(entry);
  expect(clock.pending).toBe(0);
  clock.advance(100);
  expect(expired).toEqual([]);
});

test("leave the timer alone when the earliest leaves, and it looks again when it fires", () => {
  const { clock, expired, deadlines } = setup();
  const first = milk("first", 10);
  deadlines.add(first);
  deadlines.add(milk("second", 20));
  deadlines.remove(first);
  expect(clock.pending).toBe(1);
  clock.advance(10);
  expect(expired).toEqual([]);
  expect(clock.pending).toBe(1);
  clock.advance(10);
  expect(expired).toEqual(["second@20"]);
});

test("that have passed already expire at once, but not inside `add`", () => {
  const { clock, expired, deadlines } = setup();
  clock.advance(50);
  deadlines.add(milk("old", 10));
  expect(expired).toEqual([]);
  clock.advance(0);
  expect(expired).toEqual(["old@50"]);
});

test("without end need no timer and never expire", () => {
  const { clock, expired, deadlines } = setup();
  const patient = milk("patient", Infinity);
  deadlines.add(patient);
  expect(clock.pending).toBe(0);
  deadlines.add(milk("hasty", 10));
  clock.advance(1_000_000);
  expect(expired).toEqual(["hasty@10"]);
  expect(clock.pending).toBe(0);
  deadlines.remove(patient);
  expect(deadlines.first).toBeUndefined();
});

test("removing what is not there, or twice, changes nothing", () => {
  const { clock, expired, deadlines } = setup();
  const gone = milk("gone", 10);
  deadlines.add(milk("stays", 20));
  deadlines.remove(gone);
  deadlines.add(gone);
  deadlines.remove(gone);
  deadlines.remove(gone);
  expect(clock.pending).toBe(1);
  clock.advance(20);
  expect(expired).toEqual(["stays@20"]);
});

test("an expiry may add and remove others", () => {
  const clock = new VirtualClock();
  const expired: string[] = [];
  const victim = milk("victim", 10);
  const deadlines: Deadlines<Milk> = new Deadlines<Milk>(clock, ({ name }) => {
    expired.push(`${name}@${clock.now()}`);
    if (name !== "first") return;
    deadlines.remove(victim);
    deadlines.add(milk("overdue", 5));
    deadlines.add(milk("next", 15));
  });
  deadlines.add(milk("first", 10));
  deadlines.add(victim);
  deadlines.add(milk("last", 30));
  clock.advance(10);
  expect(expired).toEqual(["first@10", "overdue@10"]);
  expect(clock.pending).toBe(1);
  clock.runAll();
  expect(expired).toEqual(["first@10", "overdue@10", "next@15", "last@30"]);
  expect(clock.pending).toBe(0);
});

test("a timer that fires a little early expires nobody early", () => {
  const clock = new VirtualClock();
  const expired: string[] = [];
  const early = {
    now: () => clock.now(),
    wall: () => clock.wall(),
    after: (delay: number, run: () => void) => clock.after(delay > 1 ? delay - 0.7 : delay, run),
  };
  const deadlines = new Deadlines<Milk>(early, ({ name }) => expired.push(`${name}@${clock.now()}`));
  deadlines.add(milk("due", 10));
  clock.runUntil(9.5);
  expect(expired).toEqual([]);
  expect(clock.pending).toBe(1);
  clock.advance(0.5);
  expect(expired).toEqual(["due@10"]);
});
