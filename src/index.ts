export type {
  BackendConfig,
  Config,
  ConfigResult,
  ConsumerConfig,
  DeploymentConfig,
  Problem,
  QueueConfig,
  ServerConfig,
  SimpleFlags,
  TimeoutsConfig,
} from "./config/index.ts";
export { formatProblems, parseConfig, readConfig, simpleConfig } from "./config/index.ts";
export type { Cancel, Clock } from "./contracts/clock.ts";
export type { Log, LogFacts } from "./contracts/log.ts";
export { SILENT_LOG } from "./contracts/log.ts";
export { type Ending, type Outcome, OUTCOMES, type Refusal } from "./core/outcome.ts";
export { systemClock } from "./engine/clock.ts";
export {
  Gate,
  type GateConfig,
  type GateRequest,
  type GateSnapshot,
  type Place,
  type Refused,
  type Verdict,
  type Waiter,
} from "./engine/gate.ts";
export type { Lease } from "./engine/lease.ts";
export { createGateway, type Gateway, type GatewayOptions, type ProxyStats } from "./gateway/index.ts";
