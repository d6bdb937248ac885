import type { Usage, UsageCommand } from "../process/answer.ts";
import { Child, type ChildName } from "../process/child.ts";
import { CONSUMERS } from "../wire/keys.ts";
import type { Proxy, ProxyOptions } from "./proxy.ts";

export function startBare(options: ProxyOptions): Promise<Proxy> {
  return start({ name: "bare", script: "bare", refusal: 429, refusesAfter: 0 }, options);
}

/** Refuses who finds its one seat taken. */
export function startGate(options: ProxyOptions): Promise<Proxy> {
  return start({ name: "headgate", script: "gate", refusal: 503, refusesAfter: 1 }, options);
}

/** Refuses who has had its one request of the day. */
export function startAllotted(options: ProxyOptions): Promise<Proxy> {
  return start({ name: "allotted", script: "gate", refusal: 429, refusesAfter: CONSUMERS }, options);
}

interface NodeProxy extends Pick<Proxy, "name" | "refusal" | "refusesAfter"> {
  readonly script: ChildName;
}

async function start({ script, ...proxy }: NodeProxy, { role, backendPort, flags }: ProxyOptions): Promise<Proxy> {
  const setup = proxy.name === "allotted" ? "allotted" : "plain";
  const child = await Child.start<UsageCommand, Usage>(script, { args: [role, backendPort, setup], flags });
  return {
    ...proxy,
    port: child.port,
    usage: (command = { collect: false }) => child.ask(command),
    stop: () => child.stop(),
  };
}
