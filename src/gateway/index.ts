export { createGateway } from "./gateway.ts";
export type { Gateway, GatewayOptions } from "./gateway.ts";
export type { BackendStats, DeploymentStats, MemberStats, ProxyStats } from "./stats.ts";
export { lookAtBackends } from "./look.ts";
export type { BackendLook } from "./look.ts";
