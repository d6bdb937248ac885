import type { Usage, UsageCommand } from "../process/answer.ts";

/** `allotted` is the gate with everything on: keys, limits, floors, tokens metered. */
export const PROXIES = ["bare", "headgate", "allotted", "nginx", "haproxy"] as const;
export type ProxyName = (typeof PROXIES)[number];

/** `relay`: everything goes through. `refuse`: nothing does. `hold`: thousands of streams at once. */
export type Role = "relay" | "refuse" | "hold";

/** A proxy at work. */
export interface Proxy {
  readonly name: ProxyName;
  readonly port: number;
  /** What a refusal of this one looks like. */
  readonly refusal: 429 | 503;
  /** So many streams have to be open before the role `refuse` refuses everybody. */
  readonly refusesAfter: number;
  usage(command?: UsageCommand): Promise<Usage>;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  readonly role: Role;
  readonly backendPort: number;
  /** Flags for Node, where Node runs it. */
  readonly flags: readonly string[];
}
