import type { Observation } from "../limiter/types.ts";
import type { StopCause } from "./types.ts";

/** Whether an answer means that no other row will fare better. */
export function stopCauseOf(observation: Observation, status: number | undefined): StopCause | undefined {
  if (observation.kind !== "exhausted") return status === 401 ? "unauthorized" : undefined;
  switch (observation.why) {
    case "unauthorized":
      return "unauthorized";
    case "quota":
    case "billing":
    case "spend_limit":
      return "quota";
    // One row may name a model that is not ours to use.
    case "forbidden":
      return undefined;
  }
}
