import * as fc from "fast-check";
import { expect, test } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

/** Notes `name@time` when it runs. */
function noting(clock: VirtualClock): {
  readonly heard: string[];
  readonly at: (delay: number, name: string) => () => void;
} {
  const heard: string[] = [];
  return { heard, at: (delay, name) => clock.after(delay, () => heard.push(`${name}@${clock.now()}`)) };
}

test("stands still until it is told to move", () => {
  const clock = new VirtualClock(5_000);
  const { heard, at } = noting(clock);
  at(0, "due");
  expect(heard).toEqual([]);
  expect(clock.now()).toBe(0);
  expect(clock.wall()).toBe(5_000);
  clock.advance(10);
  expect(clock.now()).toBe(10);
  expect(clock.wall()).toBe(5_010);
});

test("runs calls in the order of their time, then of their scheduling, each at its own time", () => {
  const clock = new VirtualClock();
  const { heard, at } = noting(clock);
  at(30, "third");
  at(10, "first");
  at(20, "second");
  at(20, "second too");
  at(31, "later");
  clock.advance(30);
  expect(heard).toEqual(["first@10", "second@20", "second too@20", "third@30"]);
  expect(clock.pending).toBe(1);
});

test("a call that is scheduled by another one runs in the same advance if it is due", () => {
  const clock = new VirtualClock();
  const { heard, at } = noting(clock);
  clock.after(10, () => {
    at(0, "at once");
    at(5, "soon");
    at(50, "late");
  });
  at(12, "between");
  clock.advance(20);
  expect(heard).toEqual(["at once@10", "between@12", "soon@15"]);
  expect(clock.now()).toBe(20);
  clock.runAll();
  expect(heard.at(-1)).toBe("late@60");
});

test("a delay below zero is none", () => {
  const clock = new VirtualClock();
  clock.advance(100);
  const { heard, at } = noting(clock);
  at(-50, "now");
  clock.advance(0);
  expect(heard).toEqual(["now@100"]);
});

test("never goes back", () => {
  const clock = new VirtualClock();
  clock.advance(100);
  clock.advance(-30);
  clock.runUntil(50);
  expect(clock.now()).toBe(100);
});

test("a cancelled call does not run, and cancelling again or too late changes nothing", () => {
  const clock = new VirtualClock();
  const { heard, at } = noting(clock);
  const cancel = at(10, "cancelled");
  const late = at(10, "runs");
  expect(clock.pending).toBe(2);
  cancel();
  cancel();
  expect(clock.pending).toBe(1);
  clock.advance(10);
  late();
  expect(heard).toEqual(["runs@10"]);
  expect(clock.pending).toBe(0);
});

test("a call can cancel another one that is due at the same time", () => {
  const clock = new VirtualClock();
  const { heard, at } = noting(clock);
  clock.after(10, () => cancel());
  const cancel = at(10, "cancelled");
  clock.advance(10);
  expect(heard).toEqual([]);
  expect(clock.pending).toBe(0);
});

test("running to the end stops with an error when something schedules itself for ever", () => {
  const clock = new VirtualClock();
  const again = (): void => {
    clock.after(1, again);
  };
  again();
  expect(() => clock.runAll(1_000)).toThrow("still busy after 1000 calls");
});

test("on random plans, what is not cancelled runs once, in order, and `pending` counts the rest", () => {
  const plan = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant("schedule" as const), ms: fc.nat(50) }) },
      { weight: 5, arbitrary: fc.record({ kind: fc.constant("cancel" as const), pick: fc.nat(1_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(20) }) },
    ),
    { maxLength: 400, size: "max" },
  );
  fc.assert(
    fc.property(plan, (steps) => {
      const clock = new VirtualClock();
      const calls: { readonly at: number; readonly cancel: () => void; fate: "due" | "cancelled" | "ran" }[] = [];
      const ran: number[] = [];
      const wrong: string[] = [];
      for (const step of steps) {
        if (step.kind === "advance") clock.advance(step.ms);
        else if (step.kind === "schedule") {
          const at = clock.now() + step.ms;
          const id = calls.length;
          const cancel = clock.after(step.ms, () => {
            const call = calls[id];
            if (call?.fate !== "due" || clock.now() !== at) wrong.push(`${call?.fate} ${at} at ${clock.now()}`);
            if (call !== undefined) call.fate = "ran";
            ran.push(id);
          });
          calls.push({ at, cancel, fate: "due" });
        } else {
          const call = calls[step.pick % Math.max(1, calls.length)];
          call?.cancel();
          if (call?.fate === "due") call.fate = "cancelled";
        }
        expect(clock.pending).toBe(calls.filter(({ fate }) => fate === "due").length);
      }
      clock.runAll();
      expect(wrong).toEqual([]);
      expect(calls.some(({ fate }) => fate === "due")).toBe(false);
      const inOrder = ran.toSorted((a, b) => (calls[a]?.at ?? 0) - (calls[b]?.at ?? 0) || a - b);
      expect(ran).toEqual(inOrder);
    }),
    { seed: 20, numRuns: 150 },
  );
});
