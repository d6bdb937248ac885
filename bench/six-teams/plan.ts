/** What the load generator is told to do. */
export interface LoadPlan {
  readonly url: string;
  readonly seconds: number;
  readonly senders: readonly Sender[];
}

/** One consumer's requests. */
export interface Sender {
  readonly name: string;
  readonly key: string;
  /** Requests per minute at random times, whatever becomes of those before; undefined: one after the other. */
  readonly perMinute: number | undefined;
  readonly seed: number;
}

/** One request as its client saw it. All times in ms. */
export interface Visit {
  readonly sender: string;
  /** Since the first request was due. */
  readonly sentAt: number;
  /** How far behind its plan the generator was. */
  readonly late: number;
  /** 0 where there was no answer. */
  readonly status: number;
  /** What the gate calls a refusal, in `x-headgate-outcome`; "" where there is none. */
  readonly outcome: string;
  /** Seconds; NaN where the answer did not say. */
  readonly retryAfter: number;
  /** From sending to the first token; NaN without one. */
  readonly firstToken: number;
  /** Between each token and the one before. */
  readonly gaps: readonly number[];
  /** Whether the stream said that it is done. */
  readonly whole: boolean;
}
