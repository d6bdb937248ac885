import type { Usage, UsageCommand } from "../process/answer.ts";
import { Child, type ChildName } from "../process/child.ts";
import type { Proxy, ProxyOptions } from "./proxy.ts";

export function startBare(options: ProxyOptions): Promise<Proxy> {
  return start("bare", "bare", 429, options);
}

export function startGate(options: ProxyOptions): Promise<Proxy> {
  return start("headgate", "gate", 503, options);
}

async function start(
  name: "bare" | "headgate",
  script: ChildName,
  refusal: Proxy["refusal"],
  { role, backendPort, flags }: ProxyOptions,
): Promise<Proxy> {
  const child = await Child.start<UsageCommand, Usage>(script, { args: [role, backendPort], flags });
  return {
    name,
    port: child.port,
    refusal,
    usage: (command = { collect: false }) => child.ask(command),
    stop: () => child.stop(),
  };
}
