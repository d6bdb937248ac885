export type { Change } from "./diff.ts";
export { diffConfigs } from "./diff.ts";
export type { Environment } from "./interpolate.ts";
export { parseConfig } from "./parse.ts";
export type { ConfigResult, Problem } from "./problem.ts";
export { readConfig } from "./read.ts";
export { referencePage } from "./reference.ts";
export { formatProblems } from "./report.ts";
export { jsonSchema } from "./schema/file.ts";
export type { SimpleFlags } from "./simple.ts";
export { simpleConfig } from "./simple.ts";
export { summarize } from "./summary.ts";
export { formatSummary } from "./summary-text.ts";
export type {
  BackendConfig,
  Config,
  ConsumerConfig,
  DeploymentConfig,
  QueueConfig,
  ServerConfig,
  TimeoutsConfig,
} from "./types.ts";
