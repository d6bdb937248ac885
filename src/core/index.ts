export { estimateTokens } from "./cost/estimate.ts";
export { type Measure, measureJson } from "./cost/measure.ts";
export { FairQueue } from "./dispatch/fair-queue.ts";
export type { Arrival, FairQueueConfig, MemberSnapshot, Offer, ShareConfig, Ticket } from "./dispatch/types.ts";
export { type Ending, endingOf, type Outcome, type OutcomeFacts, OUTCOMES, type Refusal } from "./outcome.ts";
export { createRandom, type Random } from "./random.ts";
export { Shares } from "./shares/shares.ts";
export {
  type MeterSnapshot,
  POOL,
  type Reservation,
  type SharesConfig,
  type ShareSnapshot,
  type ShareVerdict,
} from "./shares/types.ts";
export type { Bytes, EpochMs, Ms, Tokens } from "./units.ts";
