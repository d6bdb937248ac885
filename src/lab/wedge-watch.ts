import type { Ms } from "../core/units.ts";
import type { ModelReading } from "./load/types.ts";

/** Why a run ends before its time. */
export const WEDGED = "the model's GPU wedged";

/** How long a wedged model is given before the rest of a run is left out: nothing that is asked of it will be answered. */
const HOPELESS_AFTER_MS: Ms = 30_000;

/** Tells when it makes no sense to go on. */
export class WedgeWatch {
  #wedgedAt: Ms | undefined;

  isHopeless({ wedged, at }: ModelReading): boolean {
    this.#wedgedAt = wedged === true ? (this.#wedgedAt ?? at) : undefined;
    return this.#wedgedAt !== undefined && at - this.#wedgedAt >= HOPELESS_AFTER_MS;
  }
}
