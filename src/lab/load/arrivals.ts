/*
 * THE LAW
 *
 * Arrivals of an open loop are a renewal process: the gaps between them are drawn one by one, and nothing that happens to
 * a request changes when the next one is due. All three have the same mean gap, 1 / rate.
 *
 *   constant  every gap is the mean
 *   poisson   gaps are exponential: arrivals know nothing of each other
 *   gamma     gaps have the gamma distribution of shape `burstiness`; their variance is mean² / burstiness. 1 is Poisson
 */
import { drawNormal, type Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import type { Arrivals } from "../scenario/types.ts";

/** Arrivals of an open loop. */
export type OpenArrivals = Extract<Arrivals, { readonly perMinute: number }>;

const MINUTE: Ms = 60_000;

/** Draws the time until the next arrival. */
export function drawGap(arrivals: OpenArrivals, random: Random): Ms {
  const mean = MINUTE / arrivals.perMinute;
  switch (arrivals.kind) {
    case "constant":
      return mean;
    case "poisson":
      return -Math.log(1 - random()) * mean;
    case "gamma":
      return (drawGamma(arrivals.burstiness, random) * mean) / arrivals.burstiness;
  }
}

/**
 * A number from the gamma distribution with scale 1. Source: G. Marsaglia, W. W. Tsang, "A simple method for generating
 * gamma variables", ACM TOMS 26 (2000); shapes below 1 by their remark at the end.
 */
function drawGamma(shape: number, random: Random): number {
  if (shape < 1) return drawGamma(shape + 1, random) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = drawNormal(random);
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * normal * normal + d - d * v + d * Math.log(v)) return d * v;
  }
}
