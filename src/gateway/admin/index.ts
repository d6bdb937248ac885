export { type Admin, createAdmin } from "./admin.ts";
export type { ConsumerReport, ConsumerSummary } from "./consumers.ts";
export type { AdminErrorCode } from "./refusal.ts";
export type {
  AdminSource,
  ConfigurationSource,
  ConfigurationStatus,
  GateSource,
  RejectedFile,
  ReloadResult,
  ReloadTrigger,
} from "./source.ts";
