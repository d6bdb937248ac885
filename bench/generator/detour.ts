import { Client } from "undici";

import { systemClock } from "../../src/engine/clock.ts";
import { fetchText } from "../../src/lab/http/fetch-text.ts";
import { meanOf } from "./numbers.ts";

/** What a client's times have in them and a simulated model's have not. Means, in ms. */
export interface Detour {
  /** The way there and back, with the HTTP of both ends. */
  readonly wayMs: number;
  /** How late steps end: the model counts by when they were due. Measured in this process, at the same time. */
  readonly timersMs: number;
}

/** As long as a step of the model. */
const STEP_MS = 17.6;
/** So often the way is measured: after so many steps. */
const STEPS = 5;

/**
 * Measures the detour while `work` is at work. The way is that of a question to count the tokens of a prompt, which is sent, read and
 * answered like any other and needs no GPU.
 */
export async function withDetour<Value>(
  url: string,
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly detour: Detour }> {
  const dispatcher = new Client(url);
  const body = JSON.stringify({ messages: [{ role: "user", content: "water ".repeat(112) }] });
  const ways: number[] = [];
  const lateness: number[] = [];
  const over = new AbortController();
  const probe = async (): Promise<void> => {
    for (let step = 0; !over.signal.aborted; step++) {
      lateness.push((await timed(endOfStep)) - STEP_MS);
      if (step % STEPS > 0) continue;
      ways.push(await timed(() => fetchText(`${url}/tokenize`, { method: "POST", body, dispatcher })));
    }
  };
  const probing = probe();
  const value = await work().finally(() => over.abort());
  await probing;
  await dispatcher.destroy();
  return { value, detour: { wayMs: meanOf(ways), timersMs: meanOf(lateness) } };
}

/** As the model waits: Node's timers are whole milliseconds, and one that comes early is followed by another one. */
function endOfStep(): Promise<void> {
  const dueAt = systemClock.now() + STEP_MS;
  return new Promise((resolve) => {
    const wait = (): void => {
      const left = dueAt - systemClock.now();
      if (left <= 0) resolve();
      else systemClock.after(left, wait);
    };
    wait();
  });
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}
