import { startHaproxy } from "./haproxy.ts";
import { isInstalled } from "./native.ts";
import { startNginx } from "./nginx.ts";
import { startAllotted, startBare, startGate } from "./node-proxy.ts";
import { PROXIES, type Proxy, type ProxyName, type ProxyOptions } from "./proxy.ts";

const STARTERS: Readonly<Record<ProxyName, (options: ProxyOptions) => Promise<Proxy>>> = {
  bare: startBare,
  headgate: startGate,
  allotted: startAllotted,
  nginx: startNginx,
  haproxy: startHaproxy,
};

/** Those that run wherever Node does. */
export const OWN: readonly ProxyName[] = ["bare", "headgate", "allotted"];

/** The proxies that can run on this machine. */
export function availableProxies(): readonly ProxyName[] {
  return PROXIES.filter((name) => {
    const available = OWN.includes(name) || isInstalled(name);
    if (!available) console.log(`${name} is not installed here and is left out`);
    return available;
  });
}

/** Starts them all, runs `use`, and stops them whatever happens. */
export async function withProxies<Result>(
  names: readonly ProxyName[],
  options: (name: ProxyName) => ProxyOptions,
  use: (proxies: readonly Proxy[]) => Promise<Result>,
): Promise<Result> {
  const proxies: Proxy[] = [];
  try {
    for (const name of names) proxies.push(await STARTERS[name](options(name)));
    return await use(proxies);
  } finally {
    for (const proxy of proxies) await proxy.stop();
  }
}
