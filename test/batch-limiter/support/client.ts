import { RateLimiter, type RateLimiterOptions } from "../../../src/batch/index.ts";
import { createRandom } from "../../../src/core/random.ts";
import type { Ms } from "../../../src/core/units.ts";
import { Arrivals } from "../../../src/lab/model/limit/arrivals.ts";
import { createChecker } from "../../../src/lab/model/limit/checkers.ts";
import type { WindowKind } from "../../../src/lab/model/limit/types.ts";
import type { Scenario } from "./scenarios.ts";
import { SteppingClock } from "./stepping-clock.ts";

const AMOUNT = 2;
const WINDOW: Ms = 1_000;

/** What the server saw. */
export interface Sight {
  /** Refused for the rate; what an outage refuses is not among them. */
  readonly violations: number;
  readonly worstInAnyWindow: number;
  /** When requests were sent, in order; and until when they were held back after a refusal. */
  readonly sends: readonly Ms[];
  readonly pausedUntil: Ms;
  readonly served: number;
}

export interface Play {
  readonly scenario: Scenario;
  readonly window: WindowKind;
  /** Requests take from 0 to so long to the server, evenly drawn. */
  readonly jitterMs: Ms;
  /** How long it takes to answer once it has counted a call that it serves. Refusals come at once. */
  readonly answerMs: Ms;
  readonly seed: number;
}

/** The limiter in front of a server that counts for itself. All calls are served in the end. */
export async function playLimiter(play: Play, options: Pick<RateLimiterOptions, "limits" | "guardMs">): Promise<Sight> {
  const { scenario } = play;
  const clock = new SteppingClock(scenario.awake, scenario.awake);
  const server = new CountingServer(play, clock);
  const limiter = new RateLimiter({ ...options, clock, random: createRandom(play.seed) });
  let pausedUntil = 0;
  const call = async (from: Ms): Promise<void> => {
    await clock.until(from);
    for (;;) {
      using permit = await limiter.acquire();
      const status = await server.send();
      const observation = limiter.observe({ status, headers: {} }, permit);
      if (observation.kind === "paused") pausedUntil = Math.max(pausedUntil, observation.pause.until);
      if (status === 200) return;
    }
  };
  for (const [at, by] of scenario.jumps) clock.at(at, () => (clock.wallOffset += by));
  const calls = Promise.all(scenario.asks.map(call));
  await clock.play();
  await calls;
  limiter.close();
  if (clock.pending > 0) throw new Error("a timer is left");
  return { ...server.sight(), pausedUntil };
}

/** Any other way to wait for one's turn, without retries. */
export async function playTurns(play: Play, turnsOn: (clock: SteppingClock) => () => Promise<void>): Promise<Sight> {
  const { scenario } = play;
  const clock = new SteppingClock(scenario.awake, scenario.awake);
  const server = new CountingServer(play, clock);
  const turn = turnsOn(clock);
  const call = async (from: Ms): Promise<void> => {
    await clock.until(from);
    await turn();
    await server.send();
  };
  const calls = Promise.all(scenario.asks.map(call));
  await clock.play();
  await calls;
  return { ...server.sight(), pausedUntil: 0 };
}

class CountingServer {
  readonly #clock: SteppingClock;
  readonly #jitterMs: Ms;
  readonly #answerMs: Ms;
  readonly #outageUntil: Ms;
  readonly #random;
  readonly #checker;
  readonly #arrivals = new Arrivals(WINDOW - 1e-6);
  readonly #sends: Ms[] = [];
  #violations = 0;
  #served = 0;

  constructor({ scenario, window, jitterMs, answerMs, seed }: Play, clock: SteppingClock) {
    this.#clock = clock;
    this.#jitterMs = jitterMs;
    this.#answerMs = answerMs;
    this.#outageUntil = scenario.outageUntil;
    this.#random = createRandom(seed);
    this.#checker = createChecker({ amount: AMOUNT, windowMs: WINDOW, window });
  }

  /** Resolves with the status. The way back takes no time. */
  async send(): Promise<200 | 429> {
    this.#sends.push(this.#clock.now());
    await new Promise<void>((resolve) => void this.#clock.inNetwork(this.#random() * this.#jitterMs, resolve));
    const now = this.#clock.now();
    this.#arrivals.add(now);
    const isAdmitted = this.#checker.admit(now);
    if (!isAdmitted) this.#violations += 1;
    if (!isAdmitted || now < this.#outageUntil) return 429;
    this.#served += 1;
    await new Promise<void>((resolve) => void this.#clock.inNetwork(this.#answerMs, resolve));
    return 200;
  }

  sight(): Omit<Sight, "pausedUntil"> {
    return {
      violations: this.#violations,
      worstInAnyWindow: this.#arrivals.most,
      sends: this.#sends,
      served: this.#served,
    };
  }
}
