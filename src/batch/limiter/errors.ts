import type { Cost, Limit } from "../types.ts";

/** A request costs more than a limit lets through in a whole window: it could wait for ever. */
export class LimitExceededError extends Error {
  override readonly name = "LimitExceededError";
  readonly limit: Limit;
  readonly cost: Cost;

  constructor(limit: Limit, cost: Cost) {
    super(`a request of ${cost[limit.unit]} ${limit.unit} can never pass the limit ${limit.name}`);
    this.limit = limit;
    this.cost = cost;
  }
}

/** The limiter was closed before the request could go out. */
export class LimiterClosedError extends Error {
  override readonly name = "LimiterClosedError";

  constructor() {
    super("the limiter is closed");
  }
}
