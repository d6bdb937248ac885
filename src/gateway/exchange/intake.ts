import type { IncomingMessage } from "node:http";

import type { Caller } from "../auth/index.ts";
import type { Deployment } from "../deployment.ts";
import type { GateError } from "../http/reply.ts";
import type { Router } from "../router.ts";
import { factsOf, type RequestFacts } from "../surfaces/facts.ts";
import * as say from "./messages.ts";

/** What a request asks for, as far as the gate has to know. `facts` is there where its body was read as JSON. */
export interface Asked {
  readonly deployment: Deployment;
  readonly facts: RequestFacts | undefined;
}

export type Intake =
  | { readonly kind: "asked"; readonly asked: Asked }
  | { readonly kind: "refused"; readonly error: GateError };

/** A request with its body. `json`: that has to be a JSON object. */
interface Brought {
  readonly router: Router;
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly caller: Caller | undefined;
  readonly json: boolean;
}

/** Reads from a body which deployment it is for and what it may cost. */
export function takeIn({ router, request, body, caller, json }: Brought): Intake {
  if (!json) return found(router.fallback, undefined, () => []);
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") return invalid("the body must not be compressed");
  const result = factsOf(body);
  if (result.kind === "invalid") return invalid(result.message, result.param);
  return found(router.find(result.facts.model), result.facts, () => router.modelsFor(caller));
}

/** `models`: those to name where there is no deployment. */
function found(
  deployment: Deployment | undefined,
  facts: RequestFacts | undefined,
  models: () => readonly string[],
): Intake {
  if (deployment !== undefined) return { kind: "asked", asked: { deployment, facts } };
  return { kind: "refused", error: say.unknownModel(facts?.model, models()) };
}

function invalid(message: string, param?: string): Intake {
  const error: GateError = { outcome: "invalid_request", message: say.invalid(message) };
  return { kind: "refused", error: param === undefined ? error : { ...error, param } };
}
