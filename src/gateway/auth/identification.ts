import type { ConsumerKind } from "../../config/types.ts";
import type { Ms } from "../../core/units.ts";

/** A consumer that asks, with the groups that it belongs to, the most important first. One object per consumer and configuration. */
export interface Caller {
  readonly name: string;
  /** Never `group`: groups hold those who ask. */
  readonly kind: Exclude<ConsumerKind, "group">;
  readonly groups: readonly string[];
}

export interface Known {
  readonly kind: "known";
  readonly consumer: Caller;
}

/** Nobody in particular: the remote address is a member of the pool. */
export interface Anonymous {
  readonly kind: "anonymous";
}

/**
 * Why somebody is not let in. `missing`: no credential; `unknown`: one that stands for no consumer; `mistyped`: a key of
 * Headgate whose checksum is wrong; `duplicate`: more than one; `untrusted`: the word of somebody who is not believed, be
 * it a header or a token.
 */
export type Why = "missing" | "unknown" | "mistyped" | "expired" | "disabled" | "duplicate" | "oversized" | "untrusted";

export interface Refused {
  readonly kind: "refused";
  readonly why: Why;
  /** For the client. Holds nothing that the client sent. */
  readonly message: string;
}

/** The credential is no good, and too many from this address were not. */
export interface Throttled {
  readonly kind: "throttled";
  /** Until the reason would be told again. A good credential need not wait. */
  readonly retryAfterMs: Ms;
}

/** Nobody can tell at present: the keys that tokens are signed with cannot be had. Nobody is let in on that account. */
export interface Unavailable {
  readonly kind: "unavailable";
  readonly retryAfterMs: Ms;
}

/** Who asks, or why the gate does not know. */
export type Identified = Known | Anonymous | Refused | Throttled | Unavailable;

/** Who asks; for a signed token, who it will turn out to be. The promise never rejects. */
export type Identification = Identified | { readonly kind: "pending"; readonly result: Promise<Identified> };
