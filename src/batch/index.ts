export { LimiterClosedError, LimitExceededError } from "./limiter/errors.ts";
export { type MinimumOptions, minimumDurationMs } from "./limiter/minimum.ts";
export { type LimitReading, parseLimit } from "./limiter/parse-limit.ts";
export { RateLimiter } from "./limiter/rate-limiter.ts";
export type {
  AcquireOptions,
  Exhaustion,
  Limiter,
  LimiterListener,
  Observation,
  PastSend,
  RateLimiterOptions,
} from "./limiter/types.ts";
export type { Cost, Limit, LimiterStats, LimitSignal, Pause, Permit } from "./types.ts";
