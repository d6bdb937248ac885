import type { ServerResponse } from "node:http";

/** What a request can ask to go wrong, by header `x-sim-fault`. */
const FAULTS = [
  "reset-before-headers",
  "reset-mid-stream",
  "stall-before-headers",
  "stall-mid-stream",
  "status-500",
  "status-503",
  "close-mid-stream",
] as const;

export type Fault = (typeof FAULTS)[number];

/** The faults that let an answer begin. */
export type MidFault = Extract<Fault, `${string}-mid-stream`>;

export const FAULT_HEADER = "x-sim-fault";
export const FAULT_NAMES: string = FAULTS.join(", ");

export function isFault(name: string): name is Fault {
  return FAULTS.some((fault) => fault === name);
}

/** Breaks off an answer that has begun. A stalled one stays open until its client leaves. */
export function breakOff(response: ServerResponse, fault: MidFault): void {
  switch (fault) {
    case "reset-mid-stream":
      response.socket?.resetAndDestroy();
      return;
    case "close-mid-stream":
      response.socket?.destroySoon();
      return;
    case "stall-mid-stream":
      return;
  }
}
