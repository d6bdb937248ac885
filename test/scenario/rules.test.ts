import { describe, expect, test } from "vitest";
import { assertWith, COMPLETE, GATE, loadWith, messages, ONE_PHASE, phasesWith, scenarioWith } from "./kit.ts";

/** The first line of the only message about a file, without the file's name. */
function only(text: string): string {
  const message = messages(text);
  expect(message).not.toContain("\n\n");
  return message.split("\n")[0]?.replace("test.yaml:", "") ?? "";
}

/** The hint of the only message. */
function hint(text: string): string {
  return /hint: (.*)$/.exec(messages(text))?.[1] ?? "";
}

test("a file in order has nothing said about it", () => {
  expect(messages(COMPLETE)).toBe("");
});

describe("consumers", () => {
  test.each([
    ["a name with a blank", '"a b": {}', '["a b"]  must be a name of letters'],
    ["the pool", "pool: {}", ".pool  is the name of the share of all who have no reservation"],
    ["one who is one of several", "c: { count: 2 }, c-2: {}", ".c-2  would be c-2, as c is already"],
    ["a key for several", "c: { count: 2, key: k }", ".c.key  is one key for several"],
    ["a key of another", "c: { key: k }, d: { key: k }", ".d.key  is the key of c already"],
    ["too many", "c: { count: 2k }", ".c.count  must be at most 1k"],
    ["nothing", "c:", ".c  is empty"],
  ])("%s is refused", (_, consumers, message) => {
    const text = scenarioWith("phases: [{ name: one, duration: 1m, load: { a: 1/m, b: 1/m, c: 1/m, d: 1/m } }]");
    expect(messages(text.replace("b: {}", `b: {}, ${consumers}`))).toContain(`consumers${message}`);
  });

  test("none at all is refused", () => {
    expect(messages(scenarioWith("phases: [{ name: one, duration: 1m }]").replace("{ a: {}, b: {} }", "{}"))).toContain(
      "3:12  consumers  must hold at least one consumer",
    );
  });

  test("one who sends nothing is warned of", () => {
    expect(only(loadWith("a: 10/m"))).toBe("3:21  consumers.b  warning: sends nothing in any phase");
  });

  test("a key is never shown", () => {
    const text = scenarioWith(ONE_PHASE).replace("a: {}", 'a: { key: "Zm9v YmFy" }, c: { key: [Zm9v] }');
    expect(messages(text)).toContain("must be a key of visible ASCII");
    expect(messages(text)).not.toContain("Zm9v");
  });

  test("the value of a variable is never shown", () => {
    const text = loadWith("a: ${RATE}", "b: 1/m");
    expect(messages(text, { RATE: "Zm9v" })).toContain('must be a rate like 150/m (units /s, /m, /h), got "${RATE}"');
    expect(only(text)).toContain("needs the environment variable RATE, which is not set");
  });
});

describe("a load", () => {
  test.each([
    ["without a kind", "a: {}", "8:10  phases[0].load.a  needs one of rate, workers, burst and replay"],
    ["with a bare number", "a: 150", "8:10  phases[0].load.a  must be a rate like 150/m (units /s, /m, /h), got 150"],
    ["of nothing", "a: 0/m", '8:10  phases[0].load.a  must be above 0/m, and 10000000/m at the most, got "0/m"'],
    ["of two kinds", "a: { burst: 5, workers: 4 }", "8:12  phases[0].load.a.burst  cannot stand beside workers"],
    ["with arrivals of workers", "a: { workers: 4, arrivals: constant }", "arrivals  goes with rate, not with workers"],
    ["with requests of a rate", "a: { rate: 5/s, requests: 4 }", "requests  goes with workers, not with rate"],
    ["with a pause of a burst", "a: { burst: 5, pause: 1s }", "pause  goes with workers, not with burst"],
    [
      "of gamma without burstiness",
      "a: { rate: 5/s, arrivals: gamma }",
      "arrivals  is gamma, which needs a burstiness",
    ],
    ["with burstiness of chance", "a: { rate: 5/s, burstiness: 2 }", "burstiness  goes with arrivals: gamma"],
    [
      "that begins too late",
      "a: { rate: 5/s, from: 1m }",
      "from  is not before the end of the phase, which is at 1m, got 1m",
    ],
    ["by nobody", "c: 1/m", "phases[0].load.c  is no consumer of this scenario"],
    ["with no workers", "a: { workers: [] }", "workers  must have at least one item"],
    ["with a bad step", "a: { workers: [1, x] }", "workers[1]  must be a whole number like 5, 160k or 2M"],
    ["with a trace that was not read", "a: { replay: t.jsonl }", "replay  is a file that has not been read"],
    [
      "with lengths beside a trace",
      "a: { replay: t.jsonl, output: 4 }",
      "output  has no effect: lengths come from the trace",
    ],
    [
      "with lengths backwards",
      "a: { burst: 5, prompt: { from: 9, to: 5 } }",
      "prompt.to  is less than from, which is 9, got 5",
    ],
    [
      "with a median outside",
      "a: { burst: 5, prompt: { median: 1, spread: 1, from: 2, to: 5 } }",
      "median  is not between from and to (2 to 5), got 1",
    ],
    [
      "with a median alone",
      "a: { burst: 5, prompt: { median: 3, from: 2, to: 5 } }",
      "median  needs a spread beside it",
    ],
    [
      "with a body that says what a key says",
      "a: { burst: 5, body: { stream: true } }",
      "body.stream  is written by stream, outside of body",
    ],
    ["with messages without a bound", "a: { burst: 5, api: messages }", "api  is messages, which needs an output"],
    [
      "that aborts after it has given up",
      "a: { burst: 5, patience: 1s, abort: { fraction: 10%, after: 2s } }",
      "abort.after  never comes about: patience ends after 1s already",
    ],
    [
      "with an abort of nobody",
      "a: { burst: 5, abort: { fraction: 0%, after: 2s } }",
      'abort.fraction  must be above 0%, got "0%"',
    ],
    ["with a typo", "a: { worker: 5 }", "phases[0].load.a.worker  is an unknown key"],
  ])("%s is refused", (_, load, message) => {
    expect(messages(loadWith(load, "b: 1/m"))).toContain(message);
  });

  test("takes what its consumer has into account", () => {
    const text = loadWith("a: { burst: 5, patience: 1s }", "b: 1/m").replace(
      "a: {}",
      "a: { abort: { fraction: 10%, after: 1s } }",
    );
    expect(only(text)).toContain("consumers.a.abort.after  never comes about: patience ends after 1s already");
  });

  test.each([
    ["10 per second", "10/s"],
    ["10rps", "10/s"],
    ["10 rpm", "10/m"],
    ["10/sec", "10/s"],
    ["10/min", "10/m"],
    ["10", "10/m"],
  ])("of %s is told about %s", (written, meant) => {
    expect(hint(loadWith("b: 1/m", `a: ${written}`))).toBe(`did you mean ${meant}?`);
  });
});

describe("a phase", () => {
  test.each([
    [
      "without an end",
      "- { name: one, load: { a: 5/m, b: { burst: 5 } } }",
      "phases[0].load.a  never ends, and neither does its phase",
    ],
    [
      "of workers without an end",
      "- { name: one, load: { a: { workers: 5 }, b: { burst: 5 } } }",
      "phases[0].load.a  never ends",
    ],
    ["of nothing", "- { name: one }", "phases[0]  needs a duration, or load that comes to an end"],
    ["without a name", "- { duration: 1m }", "phases[0].name  is missing"],
    [
      "of the same name",
      "- { name: x, duration: 1m }\n  - { name: x, duration: 1m }",
      'phases[1].name  is the name of phases[0] already, got "x"',
    ],
    ["with no time", "- { name: x, duration: 0s }", "phases[0].duration  must be at least 1ms"],
  ])("%s is refused", (_, phase, message) => {
    expect(messages(phasesWith(phase))).toContain(message);
  });

  test("there is at least one", () => {
    expect(only(scenarioWith("phases: []"))).toContain("4:9  phases  must have at least one item");
  });
});

describe("an assertion", () => {
  test.each([
    ["on what is not measured", "sucess: 100%", "assert.sucess  is an unknown key"],
    ["on a count with a fraction", "served: 4.5", "assert.served  must compare with a whole number like 417, got 4.5"],
    [
      "on a time without a unit",
      "e2e_p50: <= 500",
      'assert.e2e_p50  must compare with a duration like 500ms, got "<= 500"',
    ],
    [
      "on a rate without a unit",
      "served_per_minute: 300",
      "served_per_minute  must compare with a rate like 300/m, got 300",
    ],
    [
      "on a part in words",
      "success: most",
      'success  must compare with a percentage like 99%, or a number like 1.1, got "most"',
    ],
    ["that more than all is served", "success: at least 101%", "success  can never hold"],
    ["that less than nothing is", "failed: below 0", "failed  can never hold"],
    ["of another phase without a name", "served: within 10%", "served  must be like within 10% of steady"],
    [
      "of another phase that is not there",
      "served: within 10% of two",
      'served  compares with a phase that is not there, got "two"',
    ],
    ["of the same phase", "served: within 10% of one", 'served  compares the phase with itself, got "one"'],
    [
      "of one consumer on all",
      "consumers: { a: { concurrent: 1 } }",
      "consumers.a.concurrent  is known of all together only",
    ],
    ["of nobody", "consumers: { c: { served: 1 } }", "consumers.c  is no consumer of this scenario"],
    ["on goodput without objectives", "goodput: 1", "goodput  needs objectives to be good by"],
    ["of none", "served: []", "served  must have at least one item"],
    ["with a bad one among others", "served: [1, x]", 'served[1]  must compare with a whole number like 417, got "x"'],
  ])("%s is refused", (_, assertion, message) => {
    expect(only(assertWith(assertion))).toContain(message);
  });

  test.each(["floor: 1", "utilization: 1", "fullest: 1", "unevenness: 0"])("%s needs a capacity", (assertion) => {
    const text = assertWith(assertion).replace("capacity: { requests_per_minute: 600 }", "limits: {}");
    expect(messages(text)).toContain("needs a capacity that it is a part of");
    expect(messages(assertWith(assertion))).toBe("");
    expect(messages(assertWith(assertion).replace(GATE, ""))).toContain("needs a capacity that it is a part of");
  });

  test("on unevenness needs two reservations", () => {
    expect(only(assertWith("unevenness: 0").replace(", b: 30%", ""))).toContain("needs two reservations or more");
  });

  test("on floors needs a phase of one window at least", () => {
    expect(only(assertWith("floor: 1").replace("2m", "30s"))).toContain(
      "floor  is judged in windows of 1m, and the phase is over after 30s",
    );
    expect(messages(`window: 30s\n${assertWith("floor: 1").replace("2m", "30s")}`)).toBe("");
  });

  test("on the queue needs a gate", () => {
    expect(only(assertWith("queue_p99: <= 1s").replace(GATE, ""))).toContain("needs a gate");
  });

  test("that begins with > and has no quotes is told about them", () => {
    expect(hint(assertWith("floor: >= 99%"))).toBe('put text that begins with > in quotes: ">= 99%"');
    expect(hint(assertWith("consumers: { a: { floor: >= 99% } }"))).toBe(
      'put text that begins with > in quotes: ">= 99%"',
    );
  });
});

describe("the top", () => {
  test.each([
    ["an unknown model", "model: instant", "model: instance", "did you mean instant?"],
    ["an unknown key", "model: instant", "model: instant\nphase: 1", "did you mean phases?"],
    ["a key of others", "model: instant", "model: instant\nassertions: {}", "did you mean assert?"],
    [
      "a key of elsewhere",
      "model: instant",
      "model: instant\nbody: {}",
      "body belongs under defaults or consumers.<name>",
    ],
  ])("%s is refused with a hint", (_, right, wrong, meant) => {
    expect(hint(scenarioWith(ONE_PHASE).replace(right, wrong))).toBe(meant);
  });

  test.each(["description", "model", "consumers", "phases"])("%s is needed", (key) => {
    const text = scenarioWith(ONE_PHASE).replace(new RegExp(`^${key}:.*\n`, "m"), "");
    expect(messages(text)).toContain(`${key}  is missing`);
  });
});
