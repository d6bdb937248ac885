/** A duration or an instant of the monotonic clock, in milliseconds. */
export type Ms = number;

/** An instant of the wall clock, in milliseconds since 1970-01-01T00:00Z. For people and headers, never for arithmetic on waits. */
export type EpochMs = number;

/** A count of model tokens. */
export type Tokens = number;

/** A count of bytes. */
export type Bytes = number;
