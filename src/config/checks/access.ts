import { canonicalHost, isLoopback } from "../address.ts";
import { isEverywhere } from "../cidr.ts";
import type { Finding } from "../problem.ts";
import type { FileView } from "../view/view.ts";
import { error, warning } from "./finding.ts";

/** Who reaches the gate, and who is let in. */
export function checkAccess(view: FileView): readonly Finding[] {
  return [
    ...checkHost(view),
    ...checkAdmin(view),
    ...checkProxies(view),
    ...checkOpenGate(view),
    ...checkKeyless(view),
  ];
}

/** Says who can use the model now, if that is everybody. */
function checkHost({ host, consumers, anonymous }: FileView): readonly Finding[] {
  if (host === undefined || isLoopback(canonicalHost(host.value))) return [];
  const everybody = "anybody who reaches this address can use the model";
  if (consumers?.size === 0) {
    const hint = "127.0.0.1 keeps it to this machine, consumers with keys keep it to those you know";
    return [warning(host.path, `is not loopback, and there are no consumers: ${everybody}`, hint)];
  }
  if (anonymous?.value !== "allow") return [];
  return [
    warning(
      host.path,
      `is not loopback, and anonymous is allow: ${everybody}, without a key too`,
      "anonymous: refuse keeps it to the consumers",
    ),
  ];
}

function checkAdmin({ admin, port }: FileView): readonly Finding[] {
  if (admin === undefined) return [];
  const findings: Finding[] = [];
  if (admin.host !== undefined && !admin.hasToken && !isLoopback(canonicalHost(admin.host.value))) {
    const hint = 'token: "${HEADGATE_ADMIN_TOKEN}" asks operators for one, 127.0.0.1 keeps others out';
    findings.push(
      error(admin.host.path, "is not loopback, which the admin listener may only be with a token", { hint }),
    );
  }
  if (admin.port !== undefined && admin.port.value !== 0 && admin.port.value === port?.value) {
    findings.push(error(admin.port.path, "is the port of the clients: operators need one of their own"));
  }
  return findings;
}

function checkProxies({ trustedProxies }: FileView): readonly Finding[] {
  return trustedProxies
    .filter(({ value }) => isEverywhere(value))
    .map(({ path }) =>
      warning(
        path,
        "is every address: whoever reaches the gate can say that it is any consumer",
        "name the addresses of the proxy alone",
      ),
    );
}

/** Without consumers the gate is open, and whoever wrote one of these keys believes that it is not. */
function checkOpenGate({ consumers, given, anonymous }: FileView): readonly Finding[] {
  if (consumers === undefined || consumers.size > 0) return [];
  const rule = "needs consumers: without them the gate is open to everybody";
  const keys = [
    ...(given.anonymous && anonymous?.value === "refuse" ? ["anonymous"] : []),
    ...(given.identity ? ["identity"] : []),
    ...(given.jwt ? ["jwt"] : []),
  ];
  return keys.map((key) => error([key], rule, { at: "key" }));
}

function checkKeyless({ consumers, given, anonymous }: FileView): readonly Finding[] {
  const all = [...(consumers?.values() ?? [])];
  // What is wrong with one of them may be its key.
  if (all.some(({ kind }) => kind === undefined)) return [];
  if (all.length === 0 || given.identity || given.jwt || all.some(({ keyCount }) => keyCount > 0)) return [];
  const so = anonymous?.value === "allow" ? "nobody can be told apart" : "every request is refused with 401";
  const rule = `have no key among them, and there is neither identity nor jwt: ${so}`;
  const hint = "headgate keys new NAME makes a key and prints the line for this file";
  return [warning(["consumers"], rule, hint, "key")];
}
