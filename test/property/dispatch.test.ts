import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FairQueueConfig, ShareConfig } from "../../src/core/dispatch/types.ts";
import { Driver, view } from "./dispatch-driver.ts";
import { config, type Move, moves } from "./dispatch-moves.ts";
import { Twin } from "./dispatch-twin.ts";

/** Checks random configurations and histories. */
function always(check: (config: FairQueueConfig, moves: readonly Move[]) => void, numRuns = 200): void {
  fc.assert(fc.property(config, moves, check), { numRuns });
}

/** What `look` sees after every move; only what is not undefined. */
function sightings<S>(
  driver: Driver,
  moves: readonly Move[],
  look: (move: Move, answer: unknown) => S | undefined,
): S[] {
  return moves.map((move) => look(move, driver.apply(move))).filter((seen) => seen !== undefined);
}

describe("the fair queue, on random moves", () => {
  test("I1: no request starts beyond the seats or the token cap", () => {
    always((config, moves) => {
      const driver = new Driver(config);
      const { queue } = driver;
      const broken = sightings(driver, moves, (move, answer) => {
        const isBeyond = move.kind === "next" && answer !== undefined && queue.running > queue.seats;
        return isBeyond || queue.runningTokens > config.maxInflightTokens ? view(queue) : undefined;
      });
      expect(broken).toEqual([]);
    });
  });

  test("I1: no seat is left free while a request waits, but for want of tokens", () => {
    always((config, moves) => {
      const driver = new Driver(config);
      const { queue } = driver;
      const broken = sightings(driver, moves, () => {
        while (queue.next(driver.now) !== undefined);
        const wantsTokens = config.maxInflightTokens < Infinity && queue.runningTokens > 0;
        return queue.running < queue.seats && queue.waiting > 0 && !wantsTokens ? view(queue) : undefined;
      });
      expect(broken).toEqual([]);
    });
  });

  test("I2: a request waits, runs and is gone, in this order and each at most once", () => {
    const stages = ["waiting", "running", "gone"];
    always((config, moves) => {
      const driver = new Driver(config);
      let before: number[] = [];
      const broken = sightings(driver, moves, () => {
        const now = driver.tickets.map(({ state }) => stages.indexOf(state));
        const isForward = before.every((stage, index) => stage <= (now[index] ?? -1));
        before = now;
        const waiting = now.filter((stage) => stage === 0).length;
        const running = now.filter((stage) => stage === 1).length;
        return isForward && driver.queue.waiting === waiting && driver.queue.running === running ? undefined : now;
      });
      expect(broken).toEqual([]);
      driver.drain();
      expect(driver.tickets.filter(({ state }) => state !== "gone")).toEqual([]);
      expect(view(driver.queue)).toEqual(view(new Driver({ ...config, seats: 4 }).queue));
    });
  });

  test("I3: the requests of one member start in the order in which they were offered", () => {
    always((config, moves) => {
      const driver = new Driver(config);
      const members = new Map<unknown, string>();
      const steady = moves.filter(({ kind }) => kind !== "shares");
      const started = sightings(driver, steady, (move, answer) => {
        if (move.kind === "next") return answer;
        if (move.kind !== "offer") return undefined;
        const { share, member } = move.arrival;
        const isKnown = config.shares.some(({ name }) => name === share);
        members.set(members.size, `${isKnown ? share : config.shares[0]?.name} ${member}`);
        return undefined;
      });
      for (const member of new Set(members.values())) {
        const ordinals = started.map(Number).filter((ordinal) => members.get(ordinal) === member);
        expect(ordinals).toEqual(ordinals.toSorted((a, b) => a - b));
      }
    });
  });

  test("I4: whoever starts is the fairest: the slow twin decides the same, move by move", () => {
    always((config, moves) => {
      const driver = new Driver(config);
      const twin = new Twin(config);
      const expected: unknown[] = [];
      const actual = moves.map((move) => {
        const answer = driver.applyToTwin(twin, move);
        expected.push([move, answer, view(twin)]);
        return [move, driver.apply(move), view(driver.queue)];
      });
      expect(actual).toEqual(expected);
    }, 600);
  });

  test("I7: no more waits than the bounds allow, but for one request that finds a seat free", () => {
    always((config, moves) => {
      const driver = new Driver(config);
      const broken = sightings(driver, moves, () => {
        const { waiting, waitingBytes } = driver.queue;
        const isWithin = waiting <= config.maxLength && waitingBytes <= config.maxBytes;
        return waiting <= 1 || isWithin ? undefined : view(driver.queue);
      });
      expect(broken).toEqual([]);
    });
  });

  test("I8: a request that is refused, or let in and cancelled at once, leaves the queue as if it had never come", () => {
    always((config, moves) => {
      const driver = new Driver(config);
      const { queue } = driver;
      const seen = moves.flatMap((move) => {
        const before = view(queue);
        const offer = move.kind === "offer" ? queue.offer({ ...move.arrival, payload: -1 }, driver.now) : undefined;
        if (offer?.kind === "queued") queue.cancel(offer.ticket);
        const pushedOut = offer?.kind === "queued" ? offer.pushedOut.length : 0;
        const after = view(queue);
        driver.apply(move);
        return pushedOut > 0 ? [] : [{ before, after }];
      });
      expect(seen.map(({ after }) => after)).toEqual(seen.map(({ before }) => before));
    });
  });

  test("I9: with nothing waiting and a seat and its tokens free, no request is refused", () => {
    always((config, moves) => {
      const driver = new Driver(config);
      const { queue } = driver;
      const refused = moves.flatMap((move) => {
        const tokens = move.kind === "offer" ? Math.min(move.arrival.tokens, config.maxInflightTokens) : Infinity;
        const isFree = queue.waiting === 0 && queue.running < queue.seats;
        const isLetIn = isFree && queue.runningTokens + tokens <= config.maxInflightTokens;
        const offered = driver.tickets.length;
        driver.apply(move);
        return move.kind === "offer" && isLetIn && driver.tickets.length === offered ? [move] : [];
      });
      expect(refused).toEqual([]);
    });
  });

  test("only the ratios of weights and the differences of times matter", () => {
    const heavier = (shares: readonly ShareConfig[]): ShareConfig[] =>
      shares.map((share) => ({ ...share, weight: share.weight * 1024 }));
    always((config, moves) => {
      const one = new Driver(config);
      const other = new Driver({ ...config, shares: heavier(config.shares) }, 1e9);
      const scaled = moves.map((move) => (move.kind === "shares" ? { ...move, shares: heavier(move.shares) } : move));
      const look = (driver: Driver) => (_: Move, answer: unknown) => [answer, view(driver.queue)];
      expect(sightings(other, scaled, look(other))).toEqual(sightings(one, moves, look(one)));
    });
  });
});
