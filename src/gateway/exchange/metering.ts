import type { Measure } from "../../core/cost/measure.ts";
import { type Ended, type Estimate, settlement, type UsageResult } from "../../core/cost/settlement.ts";
import type { EffectivePolicy, PolicyHolder } from "../../core/policy/types.ts";
import type { Bytes, Ms, Tokens } from "../../core/units.ts";
import type { Charge, Claim } from "../../engine/admission/types.ts";
import type { Backend } from "../backend/backend.ts";
import type { Allotment } from "../allotment.ts";
import { openAiRateLimits } from "../http/rate-limit-headers.ts";
import type { ResponseHeaders } from "../http/headers.ts";
import type { RequestFacts } from "../surfaces/facts.ts";
import { UsageMeter } from "../usage/usage-meter.ts";
import { UsageStripper } from "../usage/usage-stripper.ts";
import { reportsOnlyIfAsked, withUsage } from "../usage/with-usage.ts";

const NONE: readonly string[] = Object.freeze([]);

/** Who pays. Asked anew each time: a policy of before a reload would put its limits in force again. */
export interface Payer {
  readonly holder: PolicyHolder;
}

/** Whose request it is, and what it asks for. */
export interface MeteringContext {
  readonly allotment: Allotment;
  readonly consumer: string;
  readonly payer: Payer;
  /** `undefined` where the body is not read. */
  readonly facts: RequestFacts | undefined;
  readonly bodyBytes: Bytes;
  /** In its canonical spelling. */
  readonly path: string;
}

/**
 * What one request costs, from the estimate to the truth: its claim, its charge, and what its answer says of its tokens.
 * Settled once, when the backend's side is over.
 */
export class Metering {
  #estimate: Estimate;
  readonly #context: MeteringContext;
  readonly #model: string;
  readonly #measure: Measure;
  #charge: Charge | undefined;
  #meter: UsageMeter | undefined;
  #stripper: UsageStripper | undefined;
  #asked = false;

  constructor(context: MeteringContext) {
    const { allotment, consumer, facts, bodyBytes } = context;
    this.#context = context;
    this.#model = facts?.model ?? "";
    // A body that nobody reads is taken to be text.
    this.#measure = facts?.measure ?? { textChars: bodyBytes, media: 0 };
    this.#estimate = allotment.estimator.estimate(consumer, this.#model, this.#measure, facts?.maxOutputTokens);
  }

  /** What holds for it now. */
  get policy(): EffectivePolicy {
    const { allotment, payer } = this.#context;
    return allotment.policyOf(payer.holder);
  }

  /** The share of the capacity, and of the seats, that it draws on. */
  get share(): string {
    return this.policy.share;
  }

  get estimate(): Estimate {
    return this.#estimate;
  }

  /** The input was counted. */
  correctInput(input: Tokens): void {
    this.#estimate = { ...this.#estimate, input };
  }

  /** Whether the answer has to be looked through, for which it must not be compressed. */
  get metered(): boolean {
    return this.#context.allotment.metered;
  }

  claim(deadline: Ms): Claim {
    return { consumer: this.#context.consumer, policy: this.policy, ...this.#estimate, deadline };
  }

  charged(charge: Charge): void {
    this.#charge = charge;
  }

  /** The body to send: where its usage would not be reported otherwise, one that asks for it. */
  outgoing(body: Buffer, { asksForUsage }: Backend): Buffer {
    const { facts, path } = this.#context;
    // Only streams have to be asked, and most of the work is to find that out from the bytes.
    const asks = this.metered && asksForUsage && facts?.asksForStream !== false && reportsOnlyIfAsked(path);
    const asking = asks ? withUsage(body) : undefined;
    this.#asked = asking !== undefined;
    return asking ?? body;
  }

  /** An answer begins. */
  start(status: number, answer: ResponseHeaders): void {
    if (!this.metered || status >= 400) return;
    this.#meter = new UsageMeter(answer);
    const isStream = answer.contentType.startsWith("text/event-stream");
    if (this.#asked && isStream && !answer.isEncoded && !answer.hasLength) this.#stripper = new UsageStripper();
  }

  /** Counts a chunk, and returns what the client is to see of it; `undefined` for nothing yet. */
  see(chunk: Buffer): Buffer | undefined {
    if (this.#meter === undefined) return chunk;
    this.#meter.push(chunk);
    this.#charge?.progress(this.#meter.outputSoFar);
    return this.#stripper === undefined ? chunk : this.#stripper.push(chunk);
  }

  /** What the client has not seen yet when the answer is over. */
  rest(): Buffer | undefined {
    return this.#stripper?.flush();
  }

  /** The headers that say what of its limits is left. */
  rateLimits(): readonly string[] {
    const { allotment, consumer } = this.#context;
    const { policy } = this;
    if (policy.rates.length === 0) return NONE;
    return openAiRateLimits(allotment.admission.headroom(consumer, policy));
  }

  /** Makes the charge true. Does nothing where there is none, or where it was settled. */
  settle(ended: Ended): void {
    if (this.#charge === undefined || this.#charge.settled) return;
    const result: UsageResult = this.#meter?.result() ?? { kind: "nothing" };
    const { input, output, source } = settlement(this.#estimate, result, ended, this.#context.facts?.maxOutputTokens);
    this.#charge.settle(source === "refunded" ? "nothing" : { input, output });
    if (result.kind !== "reported" || ended !== "complete") return;
    const { allotment, consumer } = this.#context;
    allotment.estimator.learn(consumer, this.#model, this.#measure, result);
  }
}
