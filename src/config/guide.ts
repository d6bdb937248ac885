import type { Outline } from "./outline.ts";
import type { ConfigPath } from "./problem.ts";

/** What advice on a mistake is taken from. Each kind of file has one. */
export interface Guide {
  readonly outline: Outline;
  /** The keys that the next release has at the top. */
  readonly coming: readonly string[];
  /** What others call our keys, in lower case. */
  readonly knownAs: ReadonlyMap<string, string>;
  /** What to say about a section with nothing in it. */
  readonly emptyHint: (path: ConfigPath) => string | undefined;
}
