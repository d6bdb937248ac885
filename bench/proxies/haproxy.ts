import { BARE_REFUSAL } from "../wire/answer.ts";
import { startNative } from "./native.ts";
import type { Proxy, ProxyOptions } from "./proxy.ts";

/** One thread, connections to the backend kept open, answers passed on as they come, no log. */
export function startHaproxy({ role, backendPort }: ProxyOptions): Promise<Proxy> {
  const rule =
    role === "refuse"
      ? `http-request return status 429 content-type application/json string '${BARE_REFUSAL}'`
      : "default_backend model";
  return startNative({
    name: "haproxy",
    args: (file) => ["-db", "-f", file],
    config: (port) => `
global
  nbthread 1
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 75s
  option http-buffer-request
  http-reuse always
  option http-no-delay
frontend clients
  bind 127.0.0.1:${port}
  ${rule}
backend model
  server model 127.0.0.1:${backendPort}
`,
  });
}
