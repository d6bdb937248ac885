import type { Random } from "../../../src/core/random.ts";
import type { Fault } from "../../../src/lab/model/http/faults.ts";
import type { Leaving, Plan, Sight } from "./storm-client.ts";

/** Few prompts, so that every answer has a reference to be held against. */
const PROMPTS = 8;

/** Most often what is quickly over: a stalled answer holds a seat until its timeout. */
const FAULTS: readonly (readonly [weight: number, fault: Fault])[] = [
  [2, "reset-before-headers"],
  [3, "reset-mid-stream"],
  [1, "stall-before-headers"],
  [1, "stall-mid-stream"],
  [3, "status-500"],
  [3, "status-503"],
  [3, "close-mid-stream"],
];

/** Draws one request: one in four with a fault, one in three with a client that leaves. */
export function drawPlan(random: Random): Plan {
  const body = bodyOf(Math.floor(random() * PROMPTS), random() < 0.6);
  const fault = random() < 0.25 ? drawFault(random) : undefined;
  const leaving = random() < 1 / 3 ? drawLeaving(random) : undefined;
  return { body, fault, leaving };
}

/** One plan for each body that a storm can have, with nothing that goes wrong. */
export function referencePlans(): Plan[] {
  return Array.from({ length: 2 * PROMPTS }, (_, index) => ({ body: bodyOf(index >> 1, index % 2 === 0) }));
}

function bodyOf(prompt: number, stream: boolean): object {
  return { model: "any", messages: [{ role: "user", content: `Tell me story number ${prompt}.` }], stream };
}

function drawFault(random: Random): Fault | undefined {
  let left = random() * FAULTS.reduce((sum, [weight]) => sum + weight, 0);
  return FAULTS.find(([weight]) => (left -= weight) < 0)?.[1];
}

function drawLeaving(random: Random): Leaving {
  const reset = random() < 0.5;
  const kind = random();
  if (kind < 0.1) return { reset, when: { kind: "in-body" } };
  // From at once to longer than most requests wait.
  if (kind < 0.5) return { reset, when: { kind: "after", ms: random() * 2_000 } };
  if (kind < 0.7) return { reset, when: { kind: "on-headers" } };
  return { reset, when: { kind: "after-chunks", chunks: 1 + Math.floor(random() * 20) } };
}

export interface JudgeOptions {
  /** The whole answer to the same body. */
  readonly reference: string;
  /** A backend went down meanwhile: answers break that nobody asked to. */
  readonly outage: boolean;
}

/** What is wrong with what a client saw, or undefined. */
export function complaintOf(plan: Plan, sight: Sight, { reference, outage }: JudgeOptions): string | undefined {
  if (sight.kind === "left") return plan.leaving === undefined ? "left without being told to" : undefined;
  if (isFitting(plan, sight, reference)) return undefined;
  if (outage && isBroken(sight, reference)) return undefined;
  return `${plan.fault ?? "no fault"}: ${JSON.stringify(sight).slice(0, 300)}`;
}

function isFitting({ fault }: Plan, sight: Sight, reference: string): boolean {
  if (sight.kind !== "answered") return false;
  const { status, outcome, text, whole } = sight;
  // A backend that broke two answers in a row is left alone for a while.
  if (status === 503 && outcome === "no_backend") return whole;
  switch (fault) {
    case undefined:
      return status === 200 && whole && text === reference;
    case "status-500":
      return status === 500 && whole && outcome === undefined;
    case "status-503":
      return status === 503 && whole && outcome === undefined;
    case "reset-before-headers":
      return status === 502 && whole && outcome === "backend_failed";
    case "stall-before-headers":
      return status === 504 && whole && outcome === "backend_timeout";
    case "reset-mid-stream":
    case "stall-mid-stream":
    case "close-mid-stream":
      return isBrokenOff(sight, reference);
  }
}

/** As an outage may break it: before the answer or within. */
function isBroken(sight: Sight, reference: string): boolean {
  if (sight.kind !== "answered") return false;
  return (sight.status === 502 && sight.outcome === "backend_failed") || isBrokenOff(sight, reference);
}

/** A true beginning of the answer, and then the mark of a break: an error event for a stream, else the cut itself. */
function isBrokenOff({ status, text, whole }: Extract<Sight, { kind: "answered" }>, reference: string): boolean {
  if (status !== 200) return false;
  if (!reference.startsWith("data: ")) return !whole && text.length < reference.length && reference.startsWith(text);
  const end = text.lastIndexOf('data: {"error":{');
  const beginning = text.slice(0, end).trimEnd();
  return whole && end > 0 && beginning.length < reference.trimEnd().length && reference.startsWith(beginning);
}
