/** What the client libraries do by themselves after a refusal. */
import { afterEach, describe, expect, test, vi } from "vitest";

import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import {
  anthropicAt,
  ask,
  describeBackends,
  failureOf,
  type Gate,
  holdSeat,
  inFrontOf,
  openaiAt,
  openGate,
  until,
  useSimulatedModel,
} from "./support.ts";

/** Asks through one of the libraries, which retries as often as it does by default, over the given `fetch`. */
type Ask = (
  gate: Gate,
  fetch: typeof globalThis.fetch,
  change?: { model?: string; content?: string },
) => Promise<unknown>;

const LIBRARIES: readonly (readonly [name: string, ask: Ask])[] = [
  [
    "OpenAI's client",
    (gate, fetch, { model = "any", content = "Say hello." } = {}) =>
      openaiAt(gate, { fetch, maxRetries: 2 }).chat.completions.create(question(model, content)),
  ],
  [
    "Anthropic's client",
    (gate, fetch, { model = "any", content = "Say hello." } = {}) =>
      anthropicAt(gate, { fetch, maxRetries: 2 }).messages.create(question(model, content)),
  ],
];

function question(model: string, content: string) {
  return { ...ask(model), messages: [{ role: "user" as const, content }] };
}

/** What went over the wire, try by try. */
interface Try {
  readonly status: number;
  /** The number of the retry, as the library itself counts. */
  readonly retry: string | null;
}

interface Wire {
  readonly tries: Try[];
  /** For how long the library slept before a retry. Those sleeps are skipped. */
  readonly sleeps: number[];
  readonly fetch: typeof globalThis.fetch;
}

/** Watches a library at work. `refused` runs before it hears of a refusal. */
function watch(refused: () => Promise<void> = async () => {}): Wire {
  const wire: Wire = {
    tries: [],
    sleeps: [],
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      wire.tries.push({ status: response.status, retry: new Headers(init?.headers).get("x-stainless-retry-count") });
      if (response.status >= 400) await refused();
      told = Number(response.headers.get("retry-after-ms") ?? Number.NaN);
      return response;
    },
  };
  let told = Number.NaN;
  const setTimer = globalThis.setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation((run: () => void, delay?: number) => {
    if (delay !== told) return setTimer(run, delay);
    told = Number.NaN;
    wire.sleeps.push(delay);
    return setTimer(run, 0);
  });
  return wire;
}

afterEach(() => vi.restoreAllMocks());

describeBackends((backend) => {
  test.each(LIBRARIES)("%s comes back to a full gate when the gate said, and is answered", async (_, ask) => {
    await using gate = await openGate(inFrontOf(backend(), { max_concurrent: 1, queue: undefined }));
    const holder = await holdSeat(gate);
    const { fetch, tries, sleeps } = watch(async () => {
      holder.abort();
      await until(() => gate.stats().in_flight === 0);
    });
    await ask(gate, fetch);
    expect(tries).toEqual([
      { status: 503, retry: "0" },
      { status: 200, retry: "1" },
    ]);
    expect(sleeps).toEqual([1_000]);
    expect(gate.stats().outcomes).toMatchObject({ queue_full: 1, completed: 1 });
  });
});

describe.each(LIBRARIES)("%s", (_, ask) => {
  const model = useSimulatedModel();

  test("gives up on a gate that stays full after its own number of retries", async () => {
    await using gate = await openGate(inFrontOf(model(), { max_concurrent: 1, queue: undefined }));
    await holdSeat(gate);
    const { fetch, tries, sleeps } = watch();
    expect(await failureOf(ask(gate, fetch))).toMatchObject({ status: 503 });
    expect(tries.map(({ retry }) => retry)).toEqual(["0", "1", "2"]);
    expect(sleeps).toEqual([1_000, 1_000]);
  });

  test("does not come back when the wait is long", async () => {
    const clock = new VirtualClock();
    const settings = { max_concurrent: 1, queue: undefined, timeouts: { idle: "2h" } };
    await using gate = await openGate(inFrontOf(model(), settings), clock);
    const first = await holdSeat(gate);
    clock.advance(3_600_000);
    first.abort();
    await until(() => gate.stats().in_flight === 0);
    await holdSeat(gate);
    const { fetch, tries } = watch();
    expect(await failureOf(ask(gate, fetch))).toMatchObject({
      status: 503,
      message: expect.stringMatching(/Please try again in 361s\./),
    });
    expect(tries).toHaveLength(1);
  });

  test.each([
    ["a body that is too large", { content: "the water ".repeat(1_000) }, 413],
    ["a model that nobody serves", { model: "wind" }, 404],
  ])("does not send %s again", async (_, change, status) => {
    await using gate = await openGate({
      server: { max_body_size: "5kB" },
      deployments: { default: { models: ["any"], backends: [model().url] } },
    });
    const { fetch, tries } = watch();
    expect(await failureOf(ask(gate, fetch, change))).toMatchObject({ status });
    expect(tries).toEqual([{ status, retry: "0" }]);
  });
});
