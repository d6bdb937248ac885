/**
 * A small shared server whose GPU dies of ten requests at once, and a gate in front of it that lets through five. What is
 * asked of it is what broke the real one: more and more at once, bursts, long prompts, long answers, rapid reconnects.
 */
import { describe, expect, test } from "vitest";

import { simpleConfig } from "../../src/config/index.ts";
import { createGateway } from "../../src/gateway/index.ts";
import { createModelServer, type ModelServer } from "../../src/lab/model/server.ts";
import { play, type Sight } from "./support/storm-client.ts";
import { PortWatch } from "./support/storm-watch.ts";

/** An answer that takes minutes on the machine takes half a second here. */
const SPEED = 500;
const CAP = 5;

interface Machine {
  readonly model: ModelServer;
  /** Where clients ask. */
  readonly port: number;
  readonly watch: PortWatch;
}

/** The machine with the gate in front of it. Holds that the GPU stays well and never has more than its cap. */
async function withGate(body: (machine: Machine) => Promise<void>): Promise<void> {
  await withoutGate(async ({ model, watch }) => {
    const result = simpleConfig({ port: 0, backends: [`http://127.0.0.1:${model.port}`], maxConcurrent: CAP });
    if (result.kind === "invalid") throw new Error(JSON.stringify(result.problems));
    const gateway = createGateway(result.config, { probeIntervalMs: 0 });
    try {
      const { port } = await gateway.listen();
      await body({ model, port, watch });
      await gateway.drain(60_000);
      expect(gateway.stats()).toMatchObject({ open: 0, in_flight: 0, waiting: 0, buffered_bytes: 0 });
      expect(gateway.stats().refused).toEqual({});
    } finally {
      await gateway.close();
    }
    expect(model.stats()).toMatchObject({ wedged: false, concurrent: 0 });
    expect(model.stats().max_concurrent_seen).toBeLessThanOrEqual(CAP);
  });
}

/** The bare machine. */
async function withoutGate(body: (machine: Machine) => Promise<void>): Promise<void> {
  const model = createModelServer({ preset: "strix-halo-235b", speed: SPEED, seed: 235 });
  const port = await model.listen();
  using watch = new PortWatch(() => [port]);
  try {
    await body({ model, port, watch });
  } finally {
    await model.close();
  }
}

interface Question {
  readonly promptTokens?: number;
  readonly outputTokens?: number;
  readonly stream?: boolean;
}

/** A chat request. The number makes it unlike the others. */
function question(
  number: number,
  { promptTokens = 20, outputTokens, stream = number % 2 === 0 }: Question = {},
): object {
  const words = Array.from({ length: promptTokens }, (_, index) => `w${(index + number) % 10}`);
  const limit = outputTokens === undefined ? { max_tokens: 40 } : { max_tokens: outputTokens, ignore_eos: true };
  return { model: "any", messages: [{ role: "user", content: words.join(" ") }], stream, ...limit };
}

/** Asks them all at once. */
function askAll(port: number, questions: readonly object[]): Promise<Sight[]> {
  return Promise.all(questions.map((body) => play(port, { body })));
}

/** Asks them one after the other from each of so many clients. */
async function askInTurn(port: number, questions: readonly object[], clients: number): Promise<Sight[]> {
  const left = [...questions];
  const sights: Sight[] = [];
  const client = async (): Promise<void> => {
    for (let body = left.shift(); body !== undefined; body = left.shift()) sights.push(await play(port, { body }));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return sights;
}

/** How many have their whole answer, as in "60/60". */
function served(sights: readonly Sight[]): string {
  const whole = sights.filter((sight) => sight.kind === "answered" && sight.status === 200 && isComplete(sight.text));
  return `${whole.length}/${sights.length}`;
}

function isComplete(text: string): boolean {
  if (text.startsWith("data: ")) return text.endsWith("data: [DONE]\n\n");
  return /"finish_reason":"(?:stop|length)"/.test(text);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe("through the gate", () => {
  test("a ladder of 1, 2, 4, 8, 16 and 32 clients with 10 requests a step has 60/60 served", async () => {
    await withGate(async ({ model, port }) => {
      const sights: Sight[] = [];
      for (const clients of [1, 2, 4, 8, 16, 32]) {
        const questions = range(10).map((number) => question(number));
        sights.push(...(await askInTurn(port, questions, clients)));
      }
      expect(served(sights)).toBe("60/60");
      expect(model.stats().requests.completed).toBe(60);
    });
  });

  test("bursts of 5, 10, 20 and 50 at once have 85/85 served", async () => {
    await withGate(async ({ model, port }) => {
      const sights: Sight[] = [];
      for (const size of [5, 10, 20, 50]) {
        sights.push(
          ...(await askAll(
            port,
            range(size).map((number) => question(number)),
          )),
        );
      }
      expect(served(sights)).toBe("85/85");
      expect(model.stats().requests.completed).toBe(85);
    });
  });

  test("prompts of 100 to 3,000 tokens have 5/5 served", async () => {
    await withGate(async ({ model, port }) => {
      const questions = [100, 500, 1_000, 2_000, 3_000].map((promptTokens, index) => question(index, { promptTokens }));
      expect(served(await askAll(port, questions))).toBe("5/5");
      expect(model.stats().tokens_in).toBeGreaterThan(6_600);
    });
  });

  test("answers of up to 2,000 tokens have 5/5 served, to the last token", async () => {
    await withGate(async ({ model, port }) => {
      const lengths = [100, 500, 1_000, 1_500, 2_000];
      const questions = lengths.map((outputTokens, index) => question(index, { outputTokens }));
      expect(served(await askAll(port, questions))).toBe("5/5");
      expect(model.stats().tokens_out).toBe(lengths.reduce((sum, length) => sum + length));
    });
  });

  test("four heavy requests in parallel have 4/4 served", async () => {
    await withGate(async ({ model, port }) => {
      const questions = range(4).map((number) => question(number, { promptTokens: 3_000, outputTokens: 1_000 }));
      expect(served(await askAll(port, questions))).toBe("4/4");
      expect(model.stats().tokens_out).toBe(4_000);
    });
  });

  test("a client that starts a stream, leaves and comes back has 50/50 served, and 50 at once have, too", async () => {
    await withGate(async ({ model, port, watch }) => {
      const long = question(0, { outputTokens: 30_000, stream: true });
      const leaving = { when: { kind: "after-chunks", chunks: 1 }, reset: false } as const;
      const reconnect = async (number: number): Promise<Sight> => {
        const left = await play(port, { body: long, leaving: { ...leaving, reset: number % 2 === 0 } });
        expect(left.kind).toBe("left");
        return play(port, { body: question(number, { outputTokens: 2 }) });
      };
      const inTurn: Sight[] = [];
      for (const number of range(50)) inTurn.push(await reconnect(number));
      expect(served(inTurn)).toBe("50/50");
      expect(served(await Promise.all(range(50).map(reconnect)))).toBe("50/50");
      await watch.when(() => watch.open === 0);
      expect(model.stats().requests).toEqual({ completed: 100, aborted: 100, failed: 0, faulted: 0 });
    });
  });
});

describe("without the gate", () => {
  test("a burst of 20 wedges the GPU for good: nobody is answered, while the server says that it is well", async () => {
    await withoutGate(async ({ model, port, watch }) => {
      const leavers: AbortController[] = [];
      let answered = 0;
      const ask = async (number: number): Promise<Sight> => {
        const leaver = new AbortController();
        leavers.push(leaver);
        const sight = await play(port, { body: question(number) }, leaver);
        if (sight.kind === "answered") answered += 1;
        return sight;
      };
      const burst = range(20).map(ask);
      await watch.when(() => watch.received === 20);
      const late = ask(20);
      await watch.when(() => watch.received === 21);
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
      expect(model.stats()).toMatchObject({ wedged: true, concurrent: 21, max_concurrent_seen: 21 });
      expect(answered).toBe(0);
      for (const leaver of leavers) leaver.abort();
      expect(await Promise.all([...burst, late])).toEqual(range(21).map(() => ({ kind: "left" })));
      expect(model.stats()).toMatchObject({ wedged: true, requests: { completed: 0 } });
    });
  });
});
