import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import type { Arrivals, TracedRequest } from "../scenario/types.ts";
import { drawGap, type OpenArrivals } from "./arrivals.ts";

/** What a request may say about its lengths; what it does not say, the behaviour does. */
export type Recorded = Pick<TracedRequest, "inputTokens" | "outputTokens"> | undefined;

/** What a source works on. */
export interface SourceSite {
  readonly clock: Clock;
  /** For the gaps alone, so that they are the same whatever answers are like. */
  readonly random: Random;
  /** Begins a request that was due then, on the clock; `over` is called when it is over. */
  readonly ask: (dueAt: Ms, recorded: Recorded, over: () => void) => void;
}

/** Something that asks until it is stopped. */
export interface Source {
  /** Asks no more. */
  stop(): void;
}

/** Starts to ask. `done` is called once, when no further request will come and all are over; never by a source without end. */
export function startSource(arrivals: Arrivals, site: SourceSite, done: () => void): Source {
  switch (arrivals.kind) {
    case "constant":
    case "poisson":
    case "gamma":
      return startOpenLoop(arrivals, site);
    case "workers": {
      const { requests, pauseMs } = arrivals;
      return startSteps(
        arrivals.steps,
        (count, stepDone) => startWorkers({ count, requests, pauseMs }, site, stepDone),
        done,
      );
    }
    case "burst":
      return startSteps(
        arrivals.sizes,
        (size, stepDone) => startWorkers({ count: size, requests: size, pauseMs: 0 }, site, stepDone),
        done,
      );
    case "replay":
      return startReplay(arrivals.requests, site, done);
  }
}

/** Whoever is late sends at once what has become due, and each request keeps the time at which it was due. */
function startOpenLoop(arrivals: OpenArrivals, { clock, random, ask }: SourceSite): Source {
  // At a constant rate the first is due at once, as in other load generators.
  let dueAt = clock.now() + (arrivals.kind === "constant" ? 0 : drawGap(arrivals, random));
  let cancel: Cancel = () => {};
  const wait = (): void => {
    cancel = clock.after(dueAt - clock.now(), () => {
      for (; dueAt <= clock.now(); dueAt += drawGap(arrivals, random)) ask(dueAt, undefined, () => {});
      wait();
    });
  };
  wait();
  return { stop: () => cancel() };
}

/** One step after the other, each when the one before is done. */
function startSteps(
  steps: readonly number[],
  start: (count: number, done: () => void) => Source,
  done: () => void,
): Source {
  let current: Source | undefined;
  let isStopped = false;
  const next = (index: number): void => {
    const count = steps[index];
    if (count === undefined) return done();
    if (isStopped) return;
    current = start(count, () => next(index + 1));
  };
  next(0);
  return {
    stop: () => {
      isStopped = true;
      current?.stop();
    },
  };
}

interface Workers {
  readonly count: number;
  /** Of all workers together; `undefined`: without end. */
  readonly requests: number | undefined;
  readonly pauseMs: Ms;
}

/** A request that took no time at all must not be followed in the same instant: time would stand still. */
const LEAST_TURN_MS: Ms = 1;

function startWorkers(
  { count, requests = Infinity, pauseMs }: Workers,
  { clock, ask }: SourceSite,
  done: () => void,
): Source {
  const pauses = new Set<Cancel>();
  let left = requests;
  let working = Math.min(count, requests);
  let isStopped = false;
  const work = (): void => {
    if (left <= 0 || isStopped) {
      working -= 1;
      if (working === 0) done();
      return;
    }
    left -= 1;
    const askedAt = clock.now();
    ask(askedAt, undefined, () => {
      const pause = pauseMs === 0 && clock.now() === askedAt ? LEAST_TURN_MS : pauseMs;
      if (pause === 0 || left <= 0 || isStopped) return work();
      const cancel = clock.after(pause, () => {
        pauses.delete(cancel);
        work();
      });
      pauses.add(cancel);
    });
  };
  for (let worker = working; worker > 0; worker--) work();
  return {
    stop: () => {
      isStopped = true;
      for (const cancel of pauses) cancel();
    },
  };
}

function startReplay(requests: readonly TracedRequest[], { clock, ask }: SourceSite, done: () => void): Source {
  const start = clock.now();
  let open = 1;
  let cancel: Cancel = () => {};
  const over = (): void => {
    open -= 1;
    if (open === 0) done();
  };
  const wait = (index: number): void => {
    const request = requests[index];
    if (request === undefined) return over();
    const dueAt = start + request.atMs;
    cancel = clock.after(Math.max(0, dueAt - clock.now()), () => {
      open += 1;
      ask(dueAt, request, over);
      wait(index + 1);
    });
  };
  wait(0);
  return { stop: () => cancel() };
}
