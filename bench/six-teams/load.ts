/* The load generator: consumers that each ask at their own rate, whatever they are answered. */
import { setTimeout as sleep } from "node:timers/promises";

import { createRandom } from "../../src/core/random.ts";
import { answer } from "../process/answer.ts";
import { ask } from "./client.ts";
import type { LoadPlan, Sender, Visit } from "./plan.ts";

interface Due {
  readonly sender: Sender;
  readonly at: number;
}

async function follow({ url, seconds, senders }: LoadPlan): Promise<readonly Visit[]> {
  const origin = performance.now() + 50;
  const endsAt = origin + seconds * 1_000;
  const visits: Promise<Visit>[] = [];
  const send = ({ name: sender, key }: Sender, dueAt: number): Promise<Visit> => {
    const visit = ask({ url, sender, key, number: visits.length, dueAt, origin });
    visits.push(visit);
    return visit;
  };
  const patient = senders
    .filter(({ perMinute }) => perMinute === undefined)
    .map(async (sender) => {
      while (performance.now() < endsAt) await send(sender, performance.now());
    });
  for (const { sender, at } of timetable(senders, seconds)) {
    const left = origin + at - performance.now();
    if (left > 0) await sleep(left);
    void send(sender, origin + at);
  }
  await Promise.all(patient);
  return Promise.all(visits);
}

/** When each request is due, in ms, for arrivals at random (Poisson). */
function timetable(senders: readonly Sender[], seconds: number): readonly Due[] {
  return senders.flatMap((sender) => arrivals(sender, seconds)).toSorted((a, b) => a.at - b.at);
}

function arrivals(sender: Sender, seconds: number): readonly Due[] {
  const { perMinute, seed } = sender;
  if (perMinute === undefined) return [];
  const random = createRandom(seed);
  const gap = (): number => (-Math.log(1 - random()) * 60_000) / perMinute;
  const dues: Due[] = [];
  for (let at = gap(); at < seconds * 1_000; at += gap()) dues.push({ sender, at });
  return dues;
}

answer(0, follow);
