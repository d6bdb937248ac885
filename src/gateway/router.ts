import type { Caller } from "./auth/index.ts";
import type { Deployment } from "./deployment.ts";

/** Which deployment serves which model. */
export class Router {
  readonly deployments: readonly Deployment[];
  readonly #byModel = new Map<string, Deployment>();
  #catchAll: Deployment | undefined;

  constructor(deployments: readonly Deployment[]) {
    this.deployments = deployments;
    for (const deployment of deployments) {
      for (const model of deployment.config.models) {
        if (model === "*") this.#catchAll = deployment;
        else this.#byModel.set(model, deployment);
      }
    }
  }

  /** Every name that a client may ask for, without the catch-all. */
  get models(): readonly string[] {
    return [...this.#byModel.keys()];
  }

  /** Those of them that a caller may use. */
  modelsFor(caller: Caller | undefined): readonly string[] {
    return this.models.filter((model) => this.#byModel.get(model)?.admits(caller) === true);
  }

  /** The deployment that serves a model; for a request that names none, the one that it can only mean. */
  find(model: string | undefined): Deployment | undefined {
    if (model !== undefined) return this.#byModel.get(model) ?? this.#catchAll;
    return this.#catchAll ?? (this.deployments.length === 1 ? this.deployments[0] : undefined);
  }

  /** The deployment that every request goes to, whatever it says. */
  get sole(): Deployment | undefined {
    return this.deployments.length === 1 ? this.#catchAll : undefined;
  }

  /** Where requests go that concern no model. */
  get fallback(): Deployment | undefined {
    return this.#catchAll ?? this.deployments[0];
  }
}
