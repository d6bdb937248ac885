import { setTimeout as sleep } from "node:timers/promises";

import Bottleneck from "bottleneck";
import PQueue from "p-queue";
import pThrottle from "p-throttle";

import { RateLimiter } from "../../../src/batch/index.ts";
import { systemClock } from "../../../src/engine/clock.ts";
import { ArticleBucket } from "./article-bucket.ts";
import { CALLS } from "./protocol.ts";

/** One call of the API; resolves with the status. */
type Call = () => Promise<number>;

/** One way to make all calls. Resolves with how many never succeeded. */
export type Contender = (call: Call) => Promise<number>;

const TRIES = 5;
const FIRST_PAUSE_MS = 3_000;

/** As the article retries: five tries, with pauses of 3, 12, 27 and 48 s. Every try takes its turn. */
async function persistently(call: Call, turn: <T>(run: () => Promise<T>) => Promise<T>): Promise<boolean> {
  for (let tries = 1; tries <= TRIES; tries++) {
    if ((await turn(call)) === 200) return true;
    if (tries < TRIES) await sleep(FIRST_PAUSE_MS * tries ** 2);
  }
  return false;
}

async function allAtOnce(call: Call, turn: <T>(run: () => Promise<T>) => Promise<T>): Promise<number> {
  const served = await Promise.all(Array.from({ length: CALLS }, () => persistently(call, turn)));
  return served.filter((isServed) => !isServed).length;
}

async function poolOfTwo(call: Call): Promise<number> {
  let left = CALLS;
  let failed = 0;
  const worker = async (): Promise<void> => {
    while (left-- > 0) if (!(await persistently(call, (run) => run()))) failed += 1;
  };
  await Promise.all([worker(), worker()]);
  return failed;
}

/** Waits for a turn, then runs. */
function afterTurn(turn: () => Promise<unknown>): <T>(run: () => Promise<T>) => Promise<T> {
  return async (run) => {
    await turn();
    return run();
  };
}

/** Headgate's own retries: the limiter says how long. */
async function headgate(call: Call): Promise<number> {
  const limiter = new RateLimiter({ limits: ["2/s"] });
  const one = async (): Promise<void> => {
    for (;;) {
      using permit = await limiter.acquire();
      const status = await call();
      if (limiter.observe({ status, headers: {} }, permit).kind === "ok") return;
    }
  };
  await Promise.all(Array.from({ length: CALLS }, one));
  limiter.close();
  return 0;
}

/** All of them, with their settings for 2 calls a second. */
export const CONTENDERS: Readonly<Record<string, Contender>> = {
  "thread pool of 2": poolOfTwo,
  "unlimited, with retries": (call) => allAtOnce(call, (run) => run()),
  "article's token bucket": (call) => {
    const bucket = new ArticleBucket({ perSecond: 2, capacity: 2, clock: systemClock });
    return allAtOnce(
      call,
      afterTurn(() => bucket.take()),
    );
  },
  "p-queue": (call) => {
    const queue = new PQueue({ intervalCap: 2, interval: 1_000 });
    return allAtOnce(call, (run) => queue.add(run));
  },
  "p-queue strict": (call) => {
    const queue = new PQueue({ intervalCap: 2, interval: 1_000, strict: true });
    return allAtOnce(call, (run) => queue.add(run));
  },
  "p-throttle strict": (call) => {
    const throttle = pThrottle({ limit: 2, interval: 1_000, strict: true });
    return allAtOnce(call, afterTurn(throttle(() => Promise.resolve())));
  },
  "bottleneck minTime": (call) => {
    const limiter = new Bottleneck({ minTime: 500 });
    return allAtOnce(call, (run) => limiter.schedule(run));
  },
  "bottleneck reservoir": async (call) => {
    const limiter = new Bottleneck({ reservoir: 2, reservoirRefreshAmount: 2, reservoirRefreshInterval: 1_000 });
    const failed = await allAtOnce(call, (run) => limiter.schedule(run));
    await limiter.stop();
    return failed;
  },
  headgate,
};
