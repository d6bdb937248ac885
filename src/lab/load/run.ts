import type { Cancel, Clock } from "../../contracts/clock.ts";
import { createRandom, type Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import type { Behaviour, GateSection, LoadConsumer, PhaseLoad, Scenario } from "../scenario/types.ts";
import { createLengths } from "./lengths.ts";
import { type Source, startSource, type Recorded } from "./sources.ts";
import { type LoadObserver, Task, type TaskSite } from "./task.ts";
import type { Door } from "./types.ts";

/** Hears of the requests and of the phases of a run. */
export interface RunObserver extends LoadObserver {
  /** A phase begins, by its index. */
  phaseBegan(phase: number, at: Ms): void;
  phaseEnded(phase: number, at: Ms): void;
}

export interface LoadOptions {
  readonly scenario: Scenario;
  readonly door: Door;
  readonly clock: Clock;
  readonly seed: number;
  readonly observer: RunObserver;
  /** A phase begins that changes the gate's configuration to this. */
  readonly configure: (section: GateSection) => void;
}

/** A run under way. */
export interface LoadRun {
  /** When it began, on the clock. */
  readonly origin: Ms;
  /**
   * Ends it at once: what is open is cut, what was to come does not. `interrupted`: the clients hang up; `hopeless`: nobody
   * would have answered them.
   */
  stop(why: "interrupted" | "hopeless"): void;
}

/** How long open requests may take after the last phase before they are cut. */
const GRACE_MS: Ms = 60_000;

/**
 * Runs the phases of a scenario, one after the other, against a door. Works on any clock: sockets in real time, a
 * simulation in virtual time. `done` is called once, when nothing is open any more.
 */
export function startLoad(options: LoadOptions, done: () => void): LoadRun {
  return new Run(options, done);
}

interface OpenPhase {
  readonly index: number;
  readonly sources: Source[];
  readonly tasks: Set<Task>;
  /** Timers of what begins or ends later. */
  readonly timers: Cancel[];
  /** Loads that are not done. */
  busy: number;
}

class Run implements LoadRun, TaskSite {
  readonly clock: Clock;
  readonly door: Door;
  readonly observer: RunObserver;
  readonly origin: Ms;
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #configure: (section: GateSection) => void;
  readonly #done: () => void;
  /** Of all phases. */
  readonly #open = new Set<Task>();
  #phase: OpenPhase | undefined;
  #lastId = 0;
  #lastTask = 0;
  #cancelGrace: Cancel | undefined;
  #isOver = false;

  constructor({ scenario, door, clock, seed, observer, configure }: LoadOptions, done: () => void) {
    this.#scenario = scenario;
    this.door = door;
    this.clock = clock;
    this.#seed = seed;
    this.#configure = configure;
    this.observer = observer;
    this.origin = clock.now();
    this.#done = done;
    this.#begin(0);
  }

  nextId(): number {
    return ++this.#lastId;
  }

  nextTask(): number {
    return ++this.#lastTask;
  }

  stop(why: "interrupted" | "hopeless"): void {
    if (this.#phase !== undefined) this.#close(this.#phase);
    if (why === "interrupted") for (const task of this.#open) task.abort();
    this.#cutAll();
  }

  #begin(index: number): void {
    const phase = this.#scenario.phases[index];
    if (phase === undefined) return this.#windUp();
    const open: OpenPhase = { index, sources: [], tasks: new Set(), timers: [], busy: phase.loads.length };
    this.#phase = open;
    this.observer.phaseBegan(index, this.clock.now() - this.origin);
    if (phase.gate !== undefined) this.#configure(phase.gate);
    const next = (): void => {
      if (this.#phase !== open) return;
      this.#close(open);
      this.#begin(index + 1);
    };
    const { durationMs } = phase;
    if (durationMs !== undefined) open.timers.push(this.clock.after(durationMs, next));
    else if (phase.loads.length === 0) open.timers.push(this.clock.after(0, next));
    const loadDone = (): void => {
      open.busy -= 1;
      // Not on the stack of whoever was the last: it has not finished yet.
      if (open.busy === 0 && durationMs === undefined) open.timers.push(this.clock.after(0, next));
    };
    for (const [place, load] of phase.loads.entries()) this.#start(open, { load, place, done: loadDone });
  }

  #start(open: OpenPhase, { load, place, done }: { load: PhaseLoad; place: number; done: () => void }): void {
    const consumer = this.#scenario.consumers.find(({ name }) => name === load.consumer);
    if (consumer === undefined) throw new Error(`no consumer ${load.consumer}`);
    const { gaps, draws } = this.#chanceFor(open.index, place);
    const begin = this.#taskmaster(open, { consumer, behaviour: load.behaviour, random: draws });
    const site = { clock: this.clock, random: gaps, ask: begin };
    const run = (): void => void open.sources.push(startSource(load.arrivals, site, done));
    if (load.fromMs > 0) open.timers.push(this.clock.after(load.fromMs, run));
    else run();
  }

  #taskmaster(
    open: OpenPhase,
    { consumer, behaviour, random }: { consumer: LoadConsumer; behaviour: Behaviour; random: Random },
  ): (dueAt: Ms, recorded: Recorded, over: () => void) => void {
    const promptTokens = createLengths(behaviour.prompt, random);
    const maxTokens = behaviour.output === undefined ? undefined : createLengths(behaviour.output, random);
    const { abort } = behaviour;
    return (dueAt, recorded, over) => {
      const isAborter = abort !== undefined && random() < abort.fraction;
      const plan = {
        consumer,
        behaviour,
        random,
        dueAt,
        phase: open.index,
        promptTokens: recorded?.inputTokens ?? promptTokens(),
        maxTokens: recorded?.outputTokens ?? maxTokens?.(),
        abortAfterMs: isAborter ? abort.afterMs.from + random() * (abort.afterMs.to - abort.afterMs.from) : undefined,
      };
      const task = new Task(this, plan, () => {
        open.tasks.delete(task);
        this.#open.delete(task);
        over();
        this.#checkOver();
      });
      open.tasks.add(task);
      this.#open.add(task);
      task.start();
    };
  }

  /** The phase sends no more; what is under way goes on. */
  #close(open: OpenPhase): void {
    this.#phase = undefined;
    for (const cancel of open.timers) cancel();
    for (const source of open.sources) source.stop();
    for (const task of open.tasks) task.stopRetrying();
    this.observer.phaseEnded(open.index, this.clock.now() - this.origin);
  }

  #windUp(): void {
    this.#cancelGrace = this.clock.after(GRACE_MS, () => this.#cutAll());
    this.#checkOver();
  }

  #cutAll(): void {
    for (const task of this.#open) task.cut();
    if (this.#cancelGrace === undefined) this.#windUp();
  }

  #checkOver(): void {
    if (this.#isOver || this.#cancelGrace === undefined || this.#open.size > 0) return;
    this.#isOver = true;
    this.#cancelGrace();
    this.#done();
  }

  /** Gaps and all else are drawn apart, so that arrivals do not depend on answers. */
  #chanceFor(phase: number, place: number): { readonly gaps: Random; readonly draws: Random } {
    const seed =
      Math.imul(this.#seed + 1, 0x9e3779b1) ^ Math.imul(phase + 1, 0x85ebca6b) ^ Math.imul(place + 1, 0xc2b2ae35);
    return { gaps: createRandom(seed), draws: createRandom(seed ^ 0x27d4eb2f) };
  }
}
