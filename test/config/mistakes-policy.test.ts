import { describe, expect, test } from "vitest";
import { CONSUMERS, deploymentWith, messages, policyWith } from "./kit.ts";

// One tiny file for each kind of mistake, and everything that is said about it.

const CAPACITY = "capacity: { requests_per_minute: 1000 }";

describe("names", () => {
  test("nobody of that name", () => {
    const file = policyWith(
      CAPACITY,
      "exceptions: { alcie: { requests_per_minute: 1 } }",
      "reservations: { bbo: 20% }",
      "modes: { tema: reject }",
      "allow: [alice, payroll, alice]",
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:5:19  deployments.a.exceptions.alcie  is no consumer of this file, got "alcie"
          5 |   exceptions: { alcie: { requests_per_minute: 1 } }
            |                 ^
        hint: did you mean alice?

      headgate.yaml:6:21  deployments.a.reservations.bbo  is no consumer of this file, got "bbo"
          6 |   reservations: { bbo: 20% }
            |                   ^
        hint: did you mean bob?

      headgate.yaml:7:14  deployments.a.modes.tema  is no consumer of this file, got "tema"
          7 |   modes: { tema: reject }
            |            ^
        hint: did you mean team?

      headgate.yaml:8:20  deployments.a.allow[1]  is no consumer of this file, got "payroll"
          8 |   allow: [alice, payroll, alice]
            |                  ^
        hint: known: alice, bob, team

      headgate.yaml:8:29  deployments.a.allow[2]  is in this list twice, got "alice"
          8 |   allow: [alice, payroll, alice]
            |                           ^"
    `);
  });

  test("a name that looks like a number", () => {
    expect(messages(policyWith("allow: [7]"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:13  deployments.a.allow[0]  must be the name of a consumer, got 7
          4 |   allow: [7]
            |           ^
        hint: put a name that looks like a number or a word of YAML in quotes"
    `);
  });

  test("nobody may use it", () => {
    expect(messages(policyWith("allow: []"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:12  deployments.a.allow  must have at least one item
          4 |   allow: []
            |          ^"
    `);
  });

  test("names without any consumers", () => {
    expect(messages(deploymentWith("exceptions: { alice: { requests_per_minute: 1 } }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:19  deployments.a.exceptions.alice  is no consumer of this file, got "alice"
          4 |   exceptions: { alice: { requests_per_minute: 1 } }
            |                 ^
        hint: there are none: they stand under consumers, at the top of the file"
    `);
  });

  test("nothing is said about names where consumers themselves are wrong", () => {
    const text = deploymentWith("allow: [alice]") + "consumers: [alice]\n";
    expect(messages(text)).not.toContain("is no consumer");
  });
});

describe("limits", () => {
  test("a limit that is no number", () => {
    expect(messages(policyWith("limits: { requests_per_minute: many, tokens_per_hour: -1 }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:36  deployments.a.limits.requests_per_minute  must be a whole number like 5, 160k or 2M, got "many"
          4 |   limits: { requests_per_minute: many, tokens_per_hour: -1 }
            |                                  ^

      headgate.yaml:4:59  deployments.a.limits.tokens_per_hour  must be a whole number like 5, 160k or 2M, got -1
          4 |   limits: { requests_per_minute: many, tokens_per_hour: -1 }
            |                                                         ^"
    `);
  });

  test("a limit that blocks", () => {
    const file = policyWith("limits: { requests_per_minute: 0 }", "exceptions: { bob: { concurrent_requests: 0 } }");
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:4:36  deployments.a.limits.requests_per_minute  warning: is 0: everybody who has no exception is blocked
          4 |   limits: { requests_per_minute: 0 }
            |                                  ^
        hint: to have no limit, leave it out

      headgate.yaml:5:47  deployments.a.exceptions.bob.concurrent_requests  warning: is 0: bob is blocked
          5 |   exceptions: { bob: { concurrent_requests: 0 } }
            |                                             ^
        hint: to have no limit, leave it out"
    `);
  });

  test("an exact log that is too long", () => {
    const file = policyWith("limits: { requests_per_day: 20k, tokens_per_day: 2M, strict: true }");
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:4:33  deployments.a.limits.requests_per_day  must be at most 10k where strict is true, got 20k
          4 |   limits: { requests_per_day: 20k, tokens_per_day: 2M, strict: true }
            |                               ^"
    `);
    expect(messages(policyWith("limits: { requests_per_day: 10k, strict: true }"))).toBe("");
  });

  test("an exact log that an exception makes too long", () => {
    const file = policyWith("limits: { requests_per_day: 20k }", "exceptions: { bob: { strict: true } }");
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:5:34  deployments.a.exceptions.bob.strict  keeps a log of every request, and deployments.a.limits.requests_per_day is 20k: 10k is the most
          5 |   exceptions: { bob: { strict: true } }
            |                                ^"
    `);
  });

  test("an exact log that a group makes too long", () => {
    const file = policyWith(
      "limits: { strict: true }",
      "exceptions:",
      "  team: { requests_per_hour: 15k }",
      "  bob: { strict: false }",
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:6:34  deployments.a.exceptions.team.requests_per_hour  must be at most 10k where strict is true, got 15k
          6 |   team: { requests_per_hour: 15k }
            |                              ^"
    `);
  });
});

describe("capacity", () => {
  test("without a rate", () => {
    expect(messages(policyWith("capacity: { burst: 5s }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:15  deployments.a.capacity  needs requests_per_minute, tokens_per_minute or both
          4 |   capacity: { burst: 5s }
            |             ^"
    `);
  });

  test("a threshold that is no percentage", () => {
    for (const [value, hint] of [
      ["0.8", "80%"],
      ["80", "80%"],
    ]) {
      expect(messages(policyWith(`capacity: { requests_per_minute: 9, utilization_threshold: ${value} }`))).toContain(
        `did you mean ${hint}?`,
      );
    }
    expect(messages(policyWith("capacity: { requests_per_minute: 9, utilization_threshold: 0% }")))
      .toMatchInlineSnapshot(`
      "headgate.yaml:4:64  deployments.a.capacity.utilization_threshold  must be above 0%, got "0%"
          4 |   capacity: { requests_per_minute: 9, utilization_threshold: 0% }
            |                                                              ^"
    `);
  });

  test("a threshold that nothing reaches", () => {
    expect(messages(policyWith("capacity: { requests_per_minute: 9, utilization_threshold: 100% }")))
      .toMatchInlineSnapshot(`
      "headgate.yaml:4:64  deployments.a.capacity.utilization_threshold  warning: is 100%: nobody is held to their share before all of the capacity is used
          4 |   capacity: { requests_per_minute: 9, utilization_threshold: 100% }
            |                                                              ^
        hint: 70% to 80% leaves room to act in"
    `);
  });
});

describe("reservations", () => {
  test("more than there is", () => {
    expect(messages(policyWith(CAPACITY, "reservations: { alice: 60%, team: 50% }"))).toMatchInlineSnapshot(`
      "headgate.yaml:5:5  deployments.a.reservations  add up to 110%, and 100% is all there is
          5 |   reservations: { alice: 60%, team: 50% }
            |   ^"
    `);
  });

  test("nearly all there is", () => {
    expect(messages(policyWith(CAPACITY, "reservations: { alice: 45.5%, team: 45% }"))).toMatchInlineSnapshot(`
      "headgate.yaml:5:5  deployments.a.reservations  warning: add up to 90.5%: all others share the 9.5% that is left
          5 |   reservations: { alice: 45.5%, team: 45% }
            |   ^
        hint: leave 10% to 20% to those who have no reservation"
    `);
    expect(messages(policyWith(CAPACITY, "reservations: { alice: 45%, team: 45% }"))).toBe("");
  });

  test.each([
    ["33.3%", "33.3%", "33.4%"],
    ["10%", "20%", "70%"],
    ["0.7%", "99.2%", "0.1%"],
  ])("%s, %s and %s are all there is, and no more", (alice, bob, team) => {
    const text = policyWith(
      "max_concurrent: 1000",
      CAPACITY,
      `reservations: { alice: ${alice}, bob: ${bob}, team: ${team} }`,
    );
    expect(messages(text)).toContain("add up to 100%: all others share the 0% that is left");
  });

  test("without a capacity", () => {
    expect(messages(policyWith("reservations: { alice: 20% }"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a.reservations  need a capacity that they are parts of
          4 |   reservations: { alice: 20% }
            |   ^
        hint: capacity: { requests_per_minute: 1000 } says what there is to reserve"
    `);
  });

  test("less than a seat", () => {
    expect(messages(policyWith(CAPACITY, "reservations: { alice: 12% }"))).toMatchInlineSnapshot(`
      "headgate.yaml:5:28  deployments.a.reservations.alice  warning: is less than one seat (0.6 of 5): when all are taken, it waits for its turn
          5 |   reservations: { alice: 12% }
            |                          ^
        hint: one seat is 20%"
    `);
  });

  test("more than the limits let through", () => {
    const file = policyWith(
      "capacity: { requests_per_minute: 1000, tokens_per_minute: 100k }",
      "limits: { requests_per_minute: 150, tokens_per_minute: 30k }",
      "exceptions: { team: { requests_per_minute: 300 } }",
      "reservations: { alice: 20%, team: 40% }",
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:7:28  deployments.a.reservations.alice  warning: is 200 requests per minute, and limits let it have only 150
          7 |   reservations: { alice: 20%, team: 40% }
            |                          ^
        hint: raise the limit by an exception, or reserve less

      headgate.yaml:7:39  deployments.a.reservations.team  warning: is 400 requests per minute, and limits let it have only 300
          7 |   reservations: { alice: 20%, team: 40% }
            |                                     ^
        hint: raise the limit by an exception, or reserve less

      headgate.yaml:7:39  deployments.a.reservations.team  warning: is 40,000 tokens per minute, and limits let it have only 30,000
          7 |   reservations: { alice: 20%, team: 40% }
            |                                     ^
        hint: raise the limit by an exception, or reserve less"
    `);
  });

  test("a member with a floor of its own does not count for that of its group", () => {
    const file = policyWith(CAPACITY, "limits: { requests_per_minute: 200 }", "reservations: { bob: 20%, team: 40% }");
    expect(messages(file)).toBe("");
  });

  test("a floor that is just the limit is fine", () => {
    expect(messages(policyWith(CAPACITY, "limits: { requests_per_minute: 290 }", "reservations: { alice: 29% }"))).toBe(
      "",
    );
  });
});

describe("modes", () => {
  test("nowhere to wait", () => {
    expect(messages(policyWith(CAPACITY, "mode: queue", "modes: { bob: queue, alice: reject }")))
      .toMatchInlineSnapshot(`
      "headgate.yaml:5:11  deployments.a.mode  needs a queue to wait in
          5 |   mode: queue
            |         ^
        hint: queue: {} takes the defaults of one

      headgate.yaml:6:19  deployments.a.modes.bob  needs a queue to wait in
          6 |   modes: { bob: queue, alice: reject }
            |                 ^
        hint: queue: {} takes the defaults of one"
    `);
    expect(messages(policyWith(CAPACITY, "mode: queue", "queue: {}"))).toBe("");
  });

  test("nothing to be over", () => {
    expect(messages(deploymentWith("mode: reject", "modes: { bob: reject }") + CONSUMERS)).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a.mode  warning: has no effect without a capacity: there are no shares to be over
          4 |   mode: reject
            |   ^

      headgate.yaml:5:5  deployments.a.modes  warning: has no effect without a capacity: there are no shares to be over
          5 |   modes: { bob: reject }
            |   ^"
    `);
  });

  test("a word that is none", () => {
    expect(messages(policyWith("mode: wait", "charge: on_complete", "tokenizer: o200k_base"))).toMatchInlineSnapshot(`
      "headgate.yaml:4:5  deployments.a.mode  warning: has no effect without a capacity: there are no shares to be over
          4 |   mode: wait
            |   ^

      headgate.yaml:4:11  deployments.a.mode  must be reject or queue, got "wait"
          4 |   mode: wait
            |         ^

      headgate.yaml:5:13  deployments.a.charge  must be estimate or on_completion, got "on_complete"
          5 |   charge: on_complete
            |           ^
        hint: did you mean on_completion?

      headgate.yaml:6:16  deployments.a.tokenizer  must be o200k or o200k_harmony or cl100k or backend, got "o200k_base"
          6 |   tokenizer: o200k_base
            |              ^"
    `);
  });
});
