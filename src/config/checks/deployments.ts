import { canonicalHost, isLoopback, isWildcard } from "../address.ts";
import type { ConfigPath, Finding } from "../problem.ts";
import { formatPath, quote } from "../show.ts";
import { formatCount, formatSize } from "../units.ts";
import type { BackendView, DeploymentView, FileView } from "../view/view.ts";
import { error, NAME, NAME_RULE, warning } from "./finding.ts";

/** What no single key shows of the deployments themselves: their names, models, backends, seats and queues. */
export function checkDeployments(view: FileView): readonly Finding[] {
  return [
    ...checkModels(view.deployments),
    ...view.deployments.flatMap((deployment) => [
      ...checkName(deployment),
      ...checkBackends(deployment, view),
      ...checkSeats(deployment),
      ...checkQueue(deployment, view),
    ]),
  ];
}

function checkName({ name, path }: DeploymentView): readonly Finding[] {
  return NAME.test(name) ? [] : [error(path, NAME_RULE, { at: "key", received: quote(name) })];
}

/** A model name leads to one deployment, so no two may claim it, and `*` is a name like any other here. */
function checkModels(deployments: readonly DeploymentView[]): readonly Finding[] {
  const owners = new Map<string, DeploymentView>();
  return deployments.flatMap((deployment) => {
    const claims = deployment.modelsLeftOut ? [{ value: "*", path: deployment.path }] : deployment.models;
    return claims.flatMap(({ value, path }) => {
      const owner = owners.get(value);
      owners.set(value, owner ?? deployment);
      if (owner === undefined) return [];
      if (owner === deployment) return [error(path, "is in this list twice", { received: quote(value) })];
      if (value !== "*")
        return [error(path, `is already a model of ${formatPath(owner.path)}`, { received: quote(value) })];
      const rule = `catches all other models, and ${formatPath(owner.path)} does so too: only one deployment can`;
      const hint = 'models that are left out mean ["*"]; name the models of one of the two';
      return [error(path, rule, { at: deployment.modelsLeftOut ? "key" : "value", hint })];
    });
  });
}

function checkBackends({ backends }: DeploymentView, view: FileView): readonly Finding[] {
  const seen = new Map<string, ConfigPath>();
  return backends.flatMap(({ url: { value, path } }) => {
    const first = seen.get(value);
    seen.set(value, first ?? path);
    return [
      ...(first === undefined ? [] : [error(path, `is the same URL as ${formatPath(first)}`)]),
      ...(leadsBack(new URL(value), view)
        ? [error(path, "is the address that the gate itself listens on: its requests would come back to it")]
        : []),
      ...(view.admin !== undefined && leadsBack(new URL(value), view.admin)
        ? [error(path, "is the address of the admin listener, which clients must not reach")]
        : []),
      ...(value.endsWith("/v1")
        ? [
            warning(
              path,
              "ends in /v1, which the path of a client begins with: requests would go to /v1/v1/…",
              "take /v1 off the URL",
            ),
          ]
        : []),
    ];
  });
}

type Listener = Pick<FileView, "host" | "port">;

/** Whether a connection to `url` may end at a listener of the gate's own. */
function leadsBack(url: URL, { host, port }: Listener): boolean {
  if (host === undefined || port === undefined) return false;
  const target = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (target !== port.value) return false;
  const own = canonicalHost(host.value);
  const to = canonicalHost(url.hostname);
  const local = isLoopback(to) || isWildcard(to);
  if (isWildcard(own) || isWildcard(to)) return local && (isLoopback(own) || isWildcard(own));
  // `localhost` may be 127.0.0.1 or ::1; two different addresses are two listeners.
  return own === to || (isLoopback(own) && local && (own === "localhost" || to === "localhost"));
}

function checkSeats({ backends, backendCount, maxConcurrent }: DeploymentView): readonly Finding[] {
  if (maxConcurrent === undefined || backends.length < backendCount || backends.length === 0) return [];
  const sum = backends.reduce((sum, backend) => sum + capOf(backend), 0);
  if (sum >= maxConcurrent.value) return [];
  const rule = `is ${formatCount(maxConcurrent.value)}, but the caps of the backends add up to ${formatCount(sum)}: the other seats are never used`;
  return [warning(maxConcurrent.path, rule, `max_concurrent: ${formatCount(sum)} says what happens`)];
}

function capOf(backend: BackendView): number {
  return backend.maxConcurrent?.value ?? Infinity;
}

function checkQueue({ queueMaxBytes }: DeploymentView, { maxBodySize }: FileView): readonly Finding[] {
  if (queueMaxBytes === undefined || maxBodySize === undefined || queueMaxBytes.value >= maxBodySize.value) return [];
  const rule = `is less than one request body may have (${formatSize(maxBodySize.value)}): the largest requests can never wait`;
  return [warning(queueMaxBytes.path, rule, "make it larger, or server.max_body_size smaller")];
}
