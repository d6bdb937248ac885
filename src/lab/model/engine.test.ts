import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Clock } from "../../contracts/clock.ts";
import { createRandom } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import type { EngineConfig, EngineObserver, SequenceEnding, SequenceRequest } from "./engine-types.ts";
import { Engine } from "./engine.ts";

/** Round numbers: a step is 10 ms, 1 ms per decoding sequence, 1 ms per 10 prompt tokens. */
const CONFIG: EngineConfig = {
  stepBaseMs: 10,
  perSequenceMs: 1,
  promptCurve: [
    { tokens: 0, ms: 0 },
    { tokens: 10, ms: 1 },
  ],
  stepJitter: 0,
  intakeMs: 0,
  idleWakeMs: 0,
  stepTokens: 100,
  maxSequences: 4,
  kvTokens: 1_000,
  contextTokens: 500,
  wedgeAtConcurrent: Infinity,
};

interface Heard {
  readonly tokensAt: Ms[];
  firstTokens: number;
  readonly endings: { readonly ending: SequenceEnding; readonly at: Ms }[];
  readonly abort: () => void;
}

function setUp(changes: Partial<EngineConfig> = {}, observer?: EngineObserver) {
  const clock = new VirtualClock();
  const config = { ...CONFIG, ...changes };
  const engine = new Engine({
    config,
    clock,
    random: createRandom(1),
    ...(observer === undefined ? {} : { observer }),
  });
  const submit = (request: Partial<SequenceRequest> = {}): Heard => {
    const heard: Heard = { tokensAt: [], firstTokens: 0, endings: [], abort: () => handle.abort() };
    const handle = engine.submit(
      { promptTokens: 10, maxTokens: 5, ...request },
      {
        firstToken: () => (heard.firstTokens += 1),
        token: (at) => heard.tokensAt.push(at),
        end: (ending, at) => heard.endings.push({ ending, at }),
      },
    );
    return heard;
  };
  return { clock, engine, submit };
}

const IDLE = { running: 0, waiting: 0, kvUsedTokens: 0, stepping: false, wedged: false };

describe("a step", () => {
  test("with a prompt takes its base and the prompt's work, and yields the first token", () => {
    const { clock, submit } = setUp();
    const heard = submit({ maxTokens: 3 });
    clock.runAll();
    expect(heard.tokensAt).toEqual([11, 22, 33]);
    expect(heard.firstTokens).toBe(1);
    expect(heard.endings).toEqual([{ ending: "length", at: 33 }]);
  });

  test("takes longer for each decoding sequence", () => {
    const { clock, submit } = setUp();
    const first = submit();
    const second = submit();
    clock.runAll();
    // The second joins the second step: base 10 + one decoding 1 + prompt 1. Then both decode: 10 + 2.
    expect(first.tokensAt.slice(0, 3)).toEqual([11, 23, 35]);
    expect(second.tokensAt.slice(0, 2)).toEqual([23, 35]);
  });

  test("processes at most its budget of prompt tokens and never holds up those who decode", () => {
    const { clock, submit } = setUp();
    const decoding = submit({ maxTokens: 10 });
    clock.advance(11);
    const long = submit({ promptTokens: 250, maxTokens: 1 });
    clock.runAll();
    // 99 + 99 + 52 prompt tokens beside one decoding sequence, after the step that had begun.
    expect(decoding.tokensAt.slice(0, 5)).toEqual([11, 22, 42.9, 63.8, 80]);
    expect(long.tokensAt).toEqual([80]);
  });

  test("varies by its jitter, the same with the same seed", () => {
    const run = (): readonly Ms[] => {
      const { clock, submit } = setUp({ stepJitter: 0.1 });
      const heard = submit({ maxTokens: 50 });
      clock.runAll();
      return heard.tokensAt;
    };
    const gaps = run().map((at, index, all) => at - (all[index - 1] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(9.9);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(12.1);
    expect(new Set(gaps).size).toBeGreaterThan(40);
    expect(run()).toEqual(run());
  });

  test("starts after the intake, and later after a pause by the wake-up", () => {
    const { clock, submit } = setUp({ intakeMs: 5, idleWakeMs: 20 });
    const first = submit({ maxTokens: 1 });
    clock.runAll();
    expect(first.tokensAt).toEqual([36]);
    clock.advance(2);
    const second = submit({ maxTokens: 1 });
    clock.runAll();
    // Idle for 2 + 5 ms, so the wake-up costs 7.
    expect(second.tokensAt).toEqual([36 + 2 + 5 + 7 + 11]);
  });
});

describe("a sequence", () => {
  test("ends with stop where the model stops before the limit", () => {
    const { clock, engine, submit } = setUp();
    const heard = submit({ maxTokens: 5, stopAfterTokens: 2 });
    clock.runAll();
    expect(heard.endings).toEqual([{ ending: "stop", at: 22 }]);
    expect(engine.state).toEqual(IDLE);
  });

  test("with no output allowed only has its prompt processed", () => {
    const { clock, submit } = setUp();
    const heard = submit({ maxTokens: 0 });
    clock.runAll();
    expect(heard).toMatchObject({ tokensAt: [], endings: [{ ending: "length", at: 11 }] });
  });

  test("ends with length where the context is full", () => {
    const { clock, submit } = setUp();
    const heard = submit({ promptTokens: 490, maxTokens: 1_000 });
    clock.runAll();
    expect(heard.tokensAt).toHaveLength(10);
    expect(heard.endings[0]?.ending).toBe("length");
  });

  test("waits where the batch is full, in order of arrival", () => {
    const { clock, engine, submit } = setUp({ maxSequences: 1 });
    const first = submit();
    const second = submit();
    const third = submit();
    clock.advance(11);
    expect(engine.state).toMatchObject({ running: 1, waiting: 2 });
    clock.runAll();
    expect([first, second, third].map((heard) => heard.endings[0]?.at)).toEqual([55, 110, 165]);
  });

  test("cannot be larger than the context", () => {
    const { submit } = setUp();
    expect(() => submit({ promptTokens: 500 })).toThrow("promptTokens must be below contextTokens (500), got 500");
    expect(() => submit({ promptTokens: 0 })).toThrow("promptTokens must be at least 1, got 0");
  });
});

describe("an abort", () => {
  test("frees everything at once while waiting, processing the prompt, or decoding", () => {
    const { clock, engine, submit } = setUp({ maxSequences: 1 });
    const running = submit({ promptTokens: 250 });
    const waiting = submit();
    clock.advance(5);
    waiting.abort();
    expect(engine.state).toMatchObject({ running: 1, waiting: 0 });
    running.abort();
    expect(engine.state).toEqual(IDLE);
    expect(clock.pending).toBe(0);
    const decoding = submit({ maxTokens: 50 });
    clock.advance(25);
    decoding.abort();
    decoding.abort();
    expect(decoding.endings).toEqual([{ ending: "aborted", at: 30 }]);
    expect(engine.state).toEqual(IDLE);
    expect(clock.pending).toBe(0);
  });

  test("of one sequence leaves the others alone", () => {
    const { clock, submit } = setUp();
    const first = submit({ maxTokens: 50 });
    const second = submit({ maxTokens: 3 });
    clock.advance(24);
    first.abort();
    clock.runAll();
    expect(second.tokensAt).toEqual([23, 35, 46]);
  });

  test("may come from a listener, for itself and for others", () => {
    const { clock, engine } = setUp();
    const endings: string[] = [];
    const other = engine.submit(
      { promptTokens: 10, maxTokens: 50 },
      { end: (ending) => endings.push(`other ${ending}`) },
    );
    const self = engine.submit(
      { promptTokens: 10, maxTokens: 50 },
      {
        token: () => {
          other.abort();
          self.abort();
        },
        end: (ending) => endings.push(`self ${ending}`),
      },
    );
    clock.runAll();
    expect(endings).toEqual(["other aborted", "self aborted"]);
    expect(engine.state).toEqual(IDLE);
  });
});

describe("a full KV cache", () => {
  test("preempts the youngest, which later goes on where it was", () => {
    let preemptions = 0;
    const { clock, engine, submit } = setUp(
      { kvTokens: 500, maxSequences: 4 },
      { ...SILENT, preempted: () => (preemptions += 1) },
    );
    const old = submit({ promptTokens: 200, maxTokens: 100 });
    const young = submit({ promptTokens: 200, maxTokens: 100 });
    clock.runAll();
    expect(preemptions).toBeGreaterThan(0);
    expect(old.tokensAt).toHaveLength(100);
    expect(young.tokensAt).toHaveLength(100);
    expect(young.firstTokens).toBe(1);
    const gap = (heard: Heard): Ms =>
      Math.max(...heard.tokensAt.slice(1).map((at, index) => at - (heard.tokensAt[index] ?? 0)));
    expect(gap(old)).toBeLessThan(25);
    expect(gap(young)).toBeGreaterThan(100);
    expect(engine.state).toEqual(IDLE);
  });

  test("I1, I2, I3: whatever comes and goes, the cache holds, everyone hears one end, and no timer is left", () => {
    const event = fc.record({
      afterMs: fc.integer({ min: 0, max: 60 }),
      promptTokens: fc.integer({ min: 1, max: 99 }),
      maxTokens: fc.integer({ min: 0, max: 60 }),
      abortAfterMs: fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: 100, max: 300 }), (events, kvTokens) => {
        const { clock, engine, submit } = setUp({ kvTokens, contextTokens: 100, stepTokens: 32 }, observing());
        const all: Heard[] = [];
        function observing(): EngineObserver {
          return { ...SILENT, stepped: () => expect(engine.state.kvUsedTokens).toBeLessThanOrEqual(kvTokens) };
        }
        for (const { afterMs, promptTokens, maxTokens, abortAfterMs } of events) {
          clock.advance(afterMs);
          const heard = submit({ promptTokens, maxTokens });
          all.push(heard);
          if (abortAfterMs !== undefined) clock.after(abortAfterMs, heard.abort);
          expect(clock.pending).toBeGreaterThan(0);
        }
        clock.runAll();
        for (const heard of all) expect(heard.endings).toHaveLength(1);
        expect(engine.state).toEqual(IDLE);
        expect(clock.pending).toBe(0);
      }),
    );
  });
});

describe("a wedge", () => {
  test("comes with too many requests at once and holds whoever is there and whoever comes", () => {
    const { clock, engine, submit } = setUp({ wedgeAtConcurrent: 3 });
    const first = submit();
    submit();
    clock.advance(12);
    expect(engine.state.wedged).toBe(false);
    const third = submit();
    expect(engine.state.wedged).toBe(true);
    const late = submit();
    clock.advance(3_600_000);
    expect(first.tokensAt).toHaveLength(1);
    expect([...third.tokensAt, ...late.tokensAt]).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test("lets those who give up go, and lasts without them", () => {
    const { clock, engine, submit } = setUp({ wedgeAtConcurrent: 2 });
    const all = [submit(), submit()];
    for (const heard of all) heard.abort();
    const late = submit();
    clock.runAll();
    expect(engine.state).toEqual({ ...IDLE, waiting: 1, wedged: true });
    expect(late.tokensAt).toEqual([]);
  });

  test("when ended lets the others go on from now, not from then", () => {
    const { clock, engine, submit } = setUp();
    const heard = submit({ maxTokens: 4 });
    clock.advance(15);
    engine.wedge();
    clock.advance(1_000);
    engine.unwedge();
    clock.runAll();
    expect(heard.tokensAt).toEqual([11, 1_015, 1_026, 1_037]);
    expect(engine.state).toEqual(IDLE);
  });
});

describe("time", () => {
  test("is kept where timers run late: steps follow each other as planned", () => {
    const virtual = new VirtualClock();
    const late: Clock = {
      now: () => virtual.now(),
      wall: () => virtual.wall(),
      after: (delay, run) => virtual.after(Math.ceil(delay / 40) * 40, run),
    };
    const engine = new Engine({ config: CONFIG, clock: late, random: createRandom(1) });
    const tokensAt: Ms[] = [];
    engine.submit({ promptTokens: 10, maxTokens: 8 }, { token: (at) => tokensAt.push(at), end: () => {} });
    virtual.runAll();
    expect(tokensAt).toEqual([11, 22, 33, 44, 55, 66, 77, 88]);
    expect(virtual.now()).toBe(120);
  });

  test("that no step takes leaves nothing to wait for: the end is heard before submit returns", () => {
    const { clock, submit } = setUp({
      stepBaseMs: 0,
      perSequenceMs: 0,
      promptCurve: [CONFIG.promptCurve[0], { tokens: 1, ms: 0 }],
    });
    const heard = submit();
    expect(heard.tokensAt).toHaveLength(5);
    expect(heard.endings).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test("is spent on one timer per step", () => {
    const { clock, submit } = setUp();
    for (let count = 0; count < 10; count++) submit();
    for (let step = 0; step < 20; step++) {
      expect(clock.pending).toBeLessThanOrEqual(1);
      clock.advance(7);
    }
  });
});

describe("a configuration", () => {
  test("whose cache is smaller than the context, or whose step is smaller than the batch, is refused", () => {
    expect(() => setUp({ kvTokens: 499 })).toThrow("kvTokens must be at least contextTokens (500), got 499");
    expect(() => setUp({ stepTokens: 3 })).toThrow("stepTokens must be at least maxSequences (4), got 3");
  });
});

const SILENT: EngineObserver = {
  stepped: () => {},
  prefilled: () => {},
  firstToken: () => {},
  nextToken: () => {},
  preempted: () => {},
  ended: () => {},
};
