import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import type { Behaviour, LoadConsumer } from "../scenario/types.ts";
import { retryIn } from "./retry.ts";
import type { AnswerEnd, AnswerHead, AnswerListener, Door, Question, Visit, VisitEnding } from "./types.ts";

/** Hears of every request. Called from inside the load: quick, and never throwing. */
export interface LoadObserver {
  sent(visit: Visit): void;
  /** Pieces of content came this long after the one before; those that came together, after no time. */
  gap(visit: Visit, gap: Ms): void;
  ended(visit: Visit): void;
}

/** What all tasks of a run share. */
export interface TaskSite {
  readonly clock: Clock;
  /** When the run began, on the clock. */
  readonly origin: Ms;
  readonly door: Door;
  readonly observer: LoadObserver;
  /** Numbers that no two requests of the run share. */
  nextId(): number;
  nextTask(): number;
}

/** One intention to ask. */
export interface TaskPlan {
  readonly consumer: LoadConsumer;
  readonly phase: number;
  readonly behaviour: Behaviour;
  readonly promptTokens: number;
  readonly maxTokens: number | undefined;
  /** When it is meant to go out, on the clock. */
  readonly dueAt: Ms;
  readonly random: Random;
  /** Hangs up so long after it was sent; `undefined`: reads to the end. */
  readonly abortAfterMs: Ms | undefined;
}

/** One intention and its attempts, until it is served, given up or over. `over` is called once. */
export class Task implements AnswerListener {
  readonly #site: TaskSite;
  readonly #plan: TaskPlan;
  readonly #over: () => void;
  readonly #number: number;
  #visit: Visit | undefined;
  #head: AnswerHead | undefined;
  #attempt = 0;
  #hangUp: Cancel | undefined;
  #retry: Cancel | undefined;
  #impatience: Cancel | undefined;
  #abortion: Cancel | undefined;
  #mayRetry = true;
  #isOver = false;

  constructor(site: TaskSite, plan: TaskPlan, over: () => void) {
    this.#site = site;
    this.#plan = plan;
    this.#over = over;
    this.#number = site.nextTask();
  }

  start(): void {
    const { patienceMs } = this.#plan.behaviour;
    this.#try(this.#plan.dueAt);
    if (this.#isOver || patienceMs === Infinity) return;
    const left = this.#plan.dueAt + patienceMs - this.#site.clock.now();
    this.#impatience = this.#site.clock.after(Math.max(0, left), () => this.#leave("gave_up"));
  }

  /** From now on a request that is refused is not sent again. */
  stopRetrying(): void {
    this.#mayRetry = false;
    if (this.#retry !== undefined) this.#finish();
  }

  /** The run ends before its time: its clients hang up. */
  abort(): void {
    this.#leave("aborted");
  }

  /** The run is over, and waits no longer: whatever is open was never answered to its end. */
  cut(): void {
    this.#leave(this.#head === undefined ? "failed" : "incomplete");
  }

  began(head: AnswerHead): void {
    this.#head = head;
    const visit = this.#visit;
    if (visit === undefined) return;
    visit.headAt = this.#now();
    visit.status = head.status;
    visit.outcome = head.outcome;
    visit.queueMs = head.queueMs;
    visit.retryAfterMs = head.retryAfterMs ?? Number.NaN;
  }

  content(pieces: number): void {
    const visit = this.#visit;
    if (visit === undefined || pieces < 1 || visit.status !== OK) return;
    const now = this.#now();
    const { observer } = this.#site;
    if (visit.outputTokens > 0) observer.gap(visit, now - visit.lastTokenAt);
    else visit.firstTokenAt = now;
    for (let more = 1; more < pieces; more++) observer.gap(visit, 0);
    visit.outputTokens += pieces;
    visit.lastTokenAt = now;
  }

  ended(end: AnswerEnd): void {
    this.#hangUp = undefined;
    const visit = this.#visit;
    if (visit === undefined) return;
    if (end.kind === "complete") {
      visit.inputTokens = end.inputTokens ?? visit.inputTokens;
      visit.outputTokens = end.outputTokens ?? visit.outputTokens;
    } else if (end.kind === "failed") {
      visit.outcome = end.reason;
    }
    const ending = endingOf(end, this.#head?.status ?? 0);
    this.#close(ending);
    if (ending === "served" || !this.#mayRetry) return this.#finish();
    this.#tryAgain();
  }

  #try(plannedAt: Ms): void {
    const site = this.#site;
    const plan = this.#plan;
    this.#attempt += 1;
    this.#head = undefined;
    const { clock, origin } = site;
    const place = { id: site.nextId(), number: this.#attempt, origin, plannedAt, sentAt: clock.now() };
    const visit = newVisit(this.#number, plan, place);
    this.#visit = visit;
    site.observer.sent(visit);
    this.#hangUp = site.door.ask(this.#question(visit.id), this);
    if (plan.abortAfterMs === undefined) return;
    this.#abortion = site.clock.after(plan.abortAfterMs, () => this.#leave("aborted"));
  }

  #tryAgain(): void {
    const head = this.#head;
    const failed = {
      attempt: this.#attempt,
      status: head?.status ?? 0,
      retryAfterMs: head?.retryAfterMs,
      shouldRetry: head?.shouldRetry,
    };
    const wait = retryIn(this.#plan.behaviour.retry, failed, this.#plan.random);
    if (wait === undefined) return this.#finish();
    const at = this.#site.clock.now() + wait;
    this.#retry = this.#site.clock.after(wait, () => {
      this.#retry = undefined;
      this.#try(at);
    });
  }

  /** The client goes away, whatever is open. */
  #leave(ending: VisitEnding): void {
    if (this.#isOver) return;
    this.#hangUp?.();
    this.#hangUp = undefined;
    this.#close(ending);
    this.#finish();
  }

  #close(ending: VisitEnding): void {
    const visit = this.#visit;
    this.#visit = undefined;
    this.#abortion?.();
    this.#abortion = undefined;
    if (visit === undefined) return;
    visit.ending = ending;
    visit.endAt = this.#now();
    this.#site.observer.ended(visit);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#retry?.();
    this.#retry = undefined;
    this.#impatience?.();
    this.#over();
  }

  #question(number: number): Question {
    const { consumer, behaviour, promptTokens, maxTokens } = this.#plan;
    const { api, model, stream, connection, body } = behaviour;
    const fresh = connection === "new";
    return {
      number,
      consumer: consumer.name,
      key: consumer.key,
      api,
      model,
      promptTokens,
      maxTokens,
      stream,
      fresh,
      body,
    };
  }

  #now(): Ms {
    return this.#site.clock.now() - this.#site.origin;
  }
}

/** An answer of a model has this status; a redirect or an empty answer is none. */
const OK = 200;

function endingOf(end: AnswerEnd, status: number): VisitEnding {
  if (end.kind === "failed") return "failed";
  if (status === 429 || status === 503) return "refused";
  if (status !== OK) return "failed";
  return end.kind === "complete" ? "served" : "incomplete";
}

/** Field by field: spreading an object costs more than all else that happens to a refused request. */
function newVisit(task: number, plan: TaskPlan, attempt: VisitPlace): Visit {
  const { origin } = attempt;
  return {
    id: attempt.id,
    task,
    attempt: attempt.number,
    consumer: plan.consumer.name,
    streamed: plan.behaviour.stream,
    phase: plan.phase,
    dueAt: plan.dueAt - origin,
    plannedAt: attempt.plannedAt - origin,
    sentAt: attempt.sentAt - origin,
    status: 0,
    outcome: "",
    ending: "failed",
    headAt: Number.NaN,
    firstTokenAt: Number.NaN,
    lastTokenAt: Number.NaN,
    endAt: Number.NaN,
    queueMs: 0,
    retryAfterMs: Number.NaN,
    inputTokens: plan.promptTokens,
    outputTokens: 0,
  };
}

/** Which attempt it is; times on the clock. */
interface VisitPlace {
  readonly id: number;
  readonly number: number;
  readonly origin: Ms;
  readonly plannedAt: Ms;
  readonly sentAt: Ms;
}
