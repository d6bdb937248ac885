import type { Config, DeploymentConfig } from "../../config/types.ts";
import type { Cancel, Clock } from "../../contracts/clock.ts";
import { SILENT_LOG } from "../../contracts/log.ts";
import { CHARS_PER_TOKEN, TYPICAL_OUTPUT } from "../../core/cost/estimate.ts";
import { OUTCOMES, type Outcome } from "../../core/outcome.ts";
import type { PolicyHolder } from "../../core/policy/types.ts";
import { POOL } from "../../core/shares/types.ts";
import type { Random } from "../../core/random.ts";
import type { Ms, Tokens } from "../../core/units.ts";
import type { Charge } from "../../engine/admission/types.ts";
import type { Lease } from "../../engine/lease.ts";
import { type Allotment, groupsOf } from "../../gateway/allotment.ts";
import { Deployment } from "../../gateway/deployment.ts";
import type { AnswerHead, Question } from "../load/types.ts";
import { heldTokens } from "./virtual-model.ts";

/** What a request holds that was let in. */
export interface Passage {
  readonly lease: Lease;
  readonly waitedMs: Ms;
  /** The answer has so many tokens so far. */
  progress(output: Tokens): void;
  /** The request is over, and its answer had so many tokens. */
  settle(ending: "completed" | "client_closed", output: Tokens): void;
}

/** Hears what becomes of one request, once; possibly before `enter` has returned. */
export interface PassageListener {
  admitted(passage: Passage): void;
  refused(head: AnswerHead): void;
}

/** Clients are told not to come back where they would have to wait longer. */
const LONGEST_RETRY_MS: Ms = 60_000;

/** The gate without its sockets: the limits, shares, seats and queue of one deployment, as the gate itself builds them. */
export class VirtualGate {
  readonly #clock: Clock;
  readonly #deployment: Deployment;
  #holders: ReadonlyMap<string, PolicyHolder>;

  constructor(config: Config, clock: Clock, random: Random) {
    this.#clock = clock;
    this.#holders = holdersOf(config);
    const options = { clock, random, log: SILENT_LOG, probeIntervalMs: 0, abortGraceMs: 0 };
    this.#deployment = new Deployment(firstOf(config), groupsOf(config), options);
  }

  reconfigure(config: Config): void {
    this.#holders = holdersOf(config);
    this.#deployment.reconfigure(firstOf(config), groupsOf(config));
  }

  /** Asks for a place. The cancel leaves the queue. */
  enter(question: Question, listener: PassageListener): Cancel {
    const deployment = this.#deployment;
    const { allotment } = deployment;
    const holder = this.#holders.get(question.consumer) ?? { name: question.consumer, groups: [] };
    const deadline = this.#clock.now() + deployment.maxWaitMs(true);
    const visit: Waiting = { question, listener, deadline, leave: () => {} };
    if (allotment === undefined) this.#queue(visit, { share: POOL, charge: undefined });
    else this.#claim(visit, allotment, holder);
    return () => visit.leave();
  }

  /** Closes what it holds. */
  close(): void {
    this.#deployment.close();
  }

  #claim(visit: Waiting, allotment: Allotment, holder: PolicyHolder): void {
    const { question, deadline } = visit;
    const policy = allotment.policyOf(holder);
    const measure = { textChars: question.promptTokens * CHARS_PER_TOKEN, media: 0 };
    const estimate = allotment.estimator.estimate(holder.name, "", measure, question.maxTokens);
    const charged = (charge: Charge): void => this.#queue(visit, { share: policy.share, charge });
    const verdict = allotment.admission.enter(
      { consumer: holder.name, policy, ...estimate, deadline },
      { admitted: charged, refused: (refusal) => refuse(visit, refusal) },
    );
    if (verdict.kind === "admit") charged(verdict.charge);
    else if (verdict.kind === "refuse") refuse(visit, verdict);
    else visit.leave = () => void verdict.place.leave();
  }

  #queue(visit: Waiting, { share, charge }: { share: string; charge: Charge | undefined }): void {
    const { question, listener, deadline } = visit;
    const { gate, config } = this.#deployment;
    const tokens = config.maxInflightTokens === Infinity ? 0 : heldTokens(question, TYPICAL_OUTPUT);
    const admitted = (lease: Lease): void => {
      visit.leave = () => {};
      listener.admitted(passageOf(question, lease, charge));
    };
    const refused = (refusal: Refused): void => {
      charge?.settle("nothing");
      refuse(visit, { ...refusal, waitedMs: refusal.waitedMs + (charge?.waitedMs ?? 0) });
    };
    const request = { share, member: question.consumer, tokens, bytes: 0, deadline };
    const verdict = gate.enter(request, { admitted, refused });
    if (verdict.kind === "admit") return admitted(verdict.lease);
    if (verdict.kind === "refuse") return refused(verdict);
    visit.leave = () => {
      charge?.settle("nothing");
      verdict.place.leave();
    };
  }
}

interface Waiting {
  readonly question: Question;
  readonly listener: PassageListener;
  readonly deadline: Ms;
  leave: () => void;
}

interface Refused {
  readonly outcome: Outcome;
  readonly retryAfterMs: Ms;
  readonly waitedMs: Ms;
}

function refuse({ listener }: Waiting, { outcome, retryAfterMs, waitedMs }: Refused): void {
  const isFinal = retryAfterMs > LONGEST_RETRY_MS;
  listener.refused({
    status: OUTCOMES[outcome].status ?? 502,
    outcome,
    queueMs: Math.round(waitedMs),
    retryAfterMs: retryAfterMs === Infinity ? undefined : Math.max(1, Math.ceil(retryAfterMs)),
    shouldRetry: isFinal ? false : undefined,
  });
}

function passageOf({ promptTokens }: Question, lease: Lease, charge: Charge | undefined): Passage {
  return {
    lease,
    waitedMs: lease.waitedMs + (charge?.waitedMs ?? 0),
    progress: (output) => charge?.progress(output),
    settle: (ending, output) => {
      charge?.settle({ input: promptTokens, output });
      lease.settle(ending);
    },
  };
}

function firstOf({ deployments }: Config): DeploymentConfig {
  const [first] = deployments;
  if (first === undefined) throw new Error("a configuration has at least one deployment");
  return first;
}

function holdersOf({ consumers }: Config): ReadonlyMap<string, PolicyHolder> {
  return new Map(consumers.map((consumer) => [consumer.name, consumer]));
}
