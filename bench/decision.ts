/* Decides about requests, in one process and without sockets. */
import type { Situation } from "./decision/situation.ts";
import { type Counts, Turnstile } from "./decision/turnstile.ts";
import { answer } from "./process/answer.ts";

export interface DecisionCommand extends Situation {
  readonly warmUp: number;
  readonly requests: number;
}

export interface DecisionReport extends Counts {
  /** Processor time of the process, garbage collection included. */
  readonly cpuMicros: number;
}

answer(0, ({ warmUp, requests, ...situation }: DecisionCommand): DecisionReport => {
  const turnstile = new Turnstile(situation);
  turnstile.run(warmUp);
  const { asked, waited, refused } = turnstile.counts;
  const before = process.cpuUsage();
  turnstile.run(requests);
  const { user, system } = process.cpuUsage(before);
  const { counts } = turnstile;
  return {
    cpuMicros: user + system,
    asked: counts.asked - asked,
    waited: counts.waited - waited,
    refused: counts.refused - refused,
  };
});
