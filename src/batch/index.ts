export { LimiterClosedError, LimitExceededError } from "./limiter/errors.ts";
export { limitedFetch, type LimitedFetchOptions } from "./limiter/limited-fetch.ts";
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
export { openBatch } from "./run/batch-file.ts";
export type {
  BatchFile,
  BatchFileEnding,
  BatchFileOptions,
  BatchPlan,
  BatchRefusal,
  OpenedBatch,
} from "./run/batch-file-types.ts";
export type { SendOptions } from "./run/equipment.ts";
export type { Answer, FailureCause, RowResult, Usage } from "./run/result.ts";
export type { BatchRequest, RequestSource } from "./run/request-rows.ts";
export { type BatchOptions, type BatchRun, BatchStoppedError, runBatch } from "./run/run-batch.ts";
export type { BatchListener, BatchProgress, Price, Retry, RunEnding, StopCause } from "./run/types.ts";
