import { formatPath } from "../show.ts";
import type { AdminConfig, Config, ConsumerConfig, IdentityConfig, JwtConfig, KeyConfig } from "../types.ts";
import { formatDuration, formatSize } from "../units.ts";
import { deploymentFacts } from "./deployment-facts.ts";
import type { Fact, Value } from "./fact.ts";

/** Everything that a configuration says, in the order of the file. */
export function* factsOf(config: Config): Generator<Fact> {
  const { host, port, maxBodyBytes, drainTimeoutMs } = config.server;
  yield value("server.host", host, { needsRestart: true });
  yield value("server.port", String(port), { needsRestart: true });
  yield value("server.max_body_size", formatSize(maxBodyBytes));
  yield value("server.drain_timeout", formatDuration(drainTimeoutMs));
  if (config.admin !== undefined) yield* adminFacts(config.admin);
  for (const deployment of config.deployments) yield* deploymentFacts(deployment);
  for (const consumer of config.consumers) yield* consumerFacts(consumer);
  yield { kind: "value", path: "anonymous", label: "who may ask:", value: whoMayAsk(config) };
  if (config.identity !== undefined) yield* identityFacts(config.identity);
  if (config.jwt !== undefined) yield* jwtFacts(config.jwt);
}

function value(path: string, value: string, more: Partial<Value> = {}): Fact {
  return { kind: "value", path, label: path, value, ...more };
}

function whoMayAsk({ consumers, anonymous }: Config): string {
  if (consumers.length === 0) return "everybody";
  return anonymous === "allow" ? "consumers, and everybody else in the pool" : "consumers only";
}

function* adminFacts({ host, port, token }: AdminConfig): Generator<Fact> {
  yield { kind: "thing", path: "admin", label: "admin", detail: `${host}, port ${port}`, needsRestart: true };
  yield value("admin.host", host, { partOf: "admin", needsRestart: true });
  yield value("admin.port", String(port), { partOf: "admin", needsRestart: true });
  if (token !== undefined) yield value("admin.token", token, { partOf: "admin", secret: true });
}

function* consumerFacts({ name, kind, enabled, groups, keys }: ConsumerConfig): Generator<Fact> {
  const path = formatPath(["consumers", name]);
  const subject = kind === "group" ? `group ${name}` : `consumer ${name}`;
  yield { kind: "thing", path, label: subject };
  const part = (key: string, text: string): Fact =>
    value(formatPath(["consumers", name, key]), text, { label: `${subject}: ${key}`, partOf: path });
  yield part("kind", kind);
  if (groups.length > 0) yield part("groups", groups.join(", "));
  for (const key of keys) yield* keyFacts(key, name);
  yield part("enabled", String(enabled));
}

/** A digest opens nothing, but a few digits of it are enough to tell one key from another. */
function* keyFacts({ sha256, expiresAt }: KeyConfig, name: string): Generator<Fact> {
  const path = formatPath(["consumers", name, "keys", sha256]);
  const label = `consumer ${name}: key sha256:${sha256.slice(0, 8)}…`;
  yield { kind: "thing", path, label, partOf: formatPath(["consumers", name]) };
  if (expiresAt === undefined) return;
  const day = new Date(expiresAt).toISOString().replace("T00:00:00.000Z", "");
  yield value(`${path}.expires`, day, { label: `${label} expires`, partOf: path });
}

function* identityFacts({ header, trustedProxies }: IdentityConfig): Generator<Fact> {
  const detail = `${header}, from ${trustedProxies.join(", ")}`;
  yield { kind: "thing", path: "identity", label: "identity", detail };
  yield value("identity.header", header, { partOf: "identity" });
  yield value("identity.trusted_proxies", trustedProxies.join(", "), { partOf: "identity" });
}

function* jwtFacts({ issuer, audience, jwks, claim }: JwtConfig): Generator<Fact> {
  yield { kind: "thing", path: "jwt", label: "jwt", detail: `tokens of ${issuer}` };
  yield value("jwt.issuer", issuer, { partOf: "jwt" });
  yield value("jwt.audience", audience, { partOf: "jwt" });
  yield value("jwt.jwks", jwks, { partOf: "jwt" });
  yield value("jwt.claim", claim, { partOf: "jwt" });
}
