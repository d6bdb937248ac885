/** One thing that a configuration says, ready to be held against what another says. */
export type Fact = Value | Thing;

interface Place {
  /** The path of the key in the file, as messages write it. */
  readonly path: string;
  /** What a sentence calls it: `gpt-oss-20b: requests_per_minute of intern-notebook`. */
  readonly label: string;
  /** The path of a thing that it is part of: where that is new or gone, its parts go without saying. */
  readonly partOf?: string | undefined;
  /** Whether only a restart can change it. */
  readonly needsRestart?: boolean | undefined;
}

/** Something that has a value. */
export interface Value extends Place {
  readonly kind: "value";
  /** As a person reads it. What a secret holds is compared and never shown. */
  readonly value: string;
  readonly secret?: boolean | undefined;
  /** Stands behind the change, in parentheses: `exception`. */
  readonly note?: string | undefined;
}

/** Something that is there or not. */
interface Thing extends Place {
  readonly kind: "thing";
  /** What to say where it is new: `1000 requests per minute`. */
  readonly detail?: string | undefined;
}
