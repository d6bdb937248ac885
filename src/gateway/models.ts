import type { ServerResponse } from "node:http";

import type { Clock } from "../contracts/clock.ts";
import type { Ms } from "../core/units.ts";
import type { Caller } from "./auth/index.ts";
import type { Backend } from "./backend/backend.ts";
import { fetchSmall } from "./backend/fetch-small.ts";
import { replyJson } from "./http/reply.ts";
import type { Router } from "./router.ts";
import type { Site } from "./site.ts";

/** How long the slowest backend may take to list its models. */
const LIST_TIMEOUT_MS: Ms = 5_000;

interface Asking {
  readonly response: ServerResponse;
  readonly caller: Caller | undefined;
}

interface ListedModel {
  readonly id: string;
  readonly [field: string]: unknown;
}

/**
 * Answers `GET /v1/models` with what the healthy backends list, each model once, and the configured names that no
 * backend lists. A name that no deployment would take is left out. Whoever asks while the backends are being asked gets
 * the same list, so that no backend is ever asked twice at a time.
 */
export class ModelList {
  readonly #site: Pick<Site, "router" | "clock">;
  #waiting: Asking[] = [];

  constructor(site: Pick<Site, "router" | "clock">) {
    this.#site = site;
  }

  /** `caller`: sees the models of the deployments that it may use. */
  reply(response: ServerResponse, caller: Caller | undefined): void {
    this.#waiting.push({ response, caller });
    if (this.#waiting.length === 1) this.#ask();
  }

  #ask(): void {
    const fleets = this.#site.router.deployments.map(({ fleet }) => fleet);
    const backends = fleets.flatMap((fleet) => fleet.backends.filter(({ health }) => !health.ejected));
    const lists: (readonly ListedModel[])[] = [];
    let open = backends.length;
    if (open === 0) return this.#tell([]);
    for (const [index, backend] of backends.entries()) {
      listModels(backend, this.#site.clock, (models) => {
        lists[index] = models;
        open -= 1;
        if (open === 0) this.#tell(lists);
      });
    }
  }

  #tell(lists: readonly (readonly ListedModel[])[]): void {
    const models = merge(lists, this.#site.router);
    for (const { response, caller } of this.#waiting.splice(0)) {
      const data = models.filter(({ id }) => this.#site.router.find(id)?.admits(caller) === true);
      if (!response.destroyed) replyJson(response, 200, { object: "list", data });
    }
  }
}

function listModels(backend: Backend, clock: Clock, done: (models: readonly ListedModel[]) => void): void {
  fetchSmall(backend, { path: "/v1/models", clock, timeoutMs: LIST_TIMEOUT_MS }, (answer) => {
    done(answer.kind === "answer" && answer.status === 200 ? parseModels(answer.body) : []);
  });
}

function parseModels(body: Buffer): readonly ListedModel[] {
  try {
    const json: unknown = JSON.parse(body.toString("utf8"));
    const data = typeof json === "object" && json !== null && "data" in json ? json.data : [];
    return Array.isArray(data) ? data.filter(isListedModel) : [];
  } catch {
    return [];
  }
}

function isListedModel(value: unknown): value is ListedModel {
  return typeof value === "object" && value !== null && "id" in value && typeof value.id === "string";
}

function merge(lists: readonly (readonly ListedModel[])[], router: Router): readonly ListedModel[] {
  const byId = new Map<string, ListedModel>();
  for (const model of lists.flat()) {
    if (!byId.has(model.id) && router.find(model.id) !== undefined) byId.set(model.id, model);
  }
  for (const id of router.models) {
    if (!byId.has(id)) byId.set(id, { id, object: "model", created: 0, owned_by: "headgate" });
  }
  return [...byId.values()];
}
