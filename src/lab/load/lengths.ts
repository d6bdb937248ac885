import { drawNormal, type Random } from "../../core/random.ts";
import type { Tokens } from "../../core/units.ts";
import type { Lengths } from "../scenario/types.ts";

/** Gives the length of one request after the other. */
export function createLengths(lengths: Lengths, random: Random): () => Tokens {
  switch (lengths.kind) {
    case "turns": {
      let turn = 0;
      return () => lengths.values[turn++ % lengths.values.length] ?? 1;
    }
    case "uniform":
      return () => lengths.from + Math.floor(random() * (lengths.to - lengths.from + 1));
    case "lognormal": {
      const { median, spread, from, to } = lengths;
      return () => Math.min(to, Math.max(from, Math.round(median * Math.exp(spread * drawNormal(random)))));
    }
  }
}
