import { expect, test } from "vitest";
import { messages } from "./kit.ts";

const MISTAKEN = `description: ""
model: [nim-gpt-oss-20, nim-gpt-oss-20b]
sped: 4
window: 60
gate:
  server: { port: 8080 }
  deployments:
    gpt-oss-20b:
      backends: ["http://127.0.0.1:8081"]
      max_concurent: 32
      queue: { max_wait: 30 }
      reservations: { agent-a: 80%, agent-b: 30%, nobody: 50% }
  consumers:
    agent-a: { kind: robot }
defaults: { prompt: 0, body: { max_tokens: 10 } }
consumers:
  agent-a: { retry: politely }
  agent-b: { key: "two words" }
  user: { count: 3, key: lab }
  user-2: {}
  dev:
phases:
  - name: steady
    duration: 3m
    load:
      agent-a: 150
      agent-b: { rate: 10/s, workers: 4 }
      user: { workers: 4, from: 5m }
      agnet-b: 10/m
      dev: { arrivals: gamma }
      user-2: { rate: 10/m, pause: 1s }
    assert:
      success: 120%
      ttft_p99: <= 500
      ttf_p50: 5ms
      model_ttft: within 10% of stedy
      consumers: { dev: { served: at most 4.5, utilization: 99% }, agent: { served: 1 } }
  - name: steady
    load:
      agent-b: { workers: 4 }
      user: { replay: nowhere.jsonl, prompt: 5 }
      user-2: { burst: [4, 0], prompt: { from: 10, to: 8 }, abort: { fraction: 30%, after: 2s..1s } }
assert: { floor: at least 99%, goodput: 1, concurrent: many }
`;

test("a scenario with more than forty mistakes has all of them reported at once, in the order of the file", () => {
  expect(messages(MISTAKEN)).toMatchInlineSnapshot(`
    "test.yaml:1:14  description  must be text of 1 to 500 characters, got ""
        1 | description: ""
          |              ^

    test.yaml:2:9  model[0]  must be nim-gpt-oss-20b or strix-halo-235b or strix-halo-235b-batch-256 or instant, got "nim-gpt-oss-20"
        2 | model: [nim-gpt-oss-20, nim-gpt-oss-20b]
          |         ^
      hint: did you mean nim-gpt-oss-20b?

    test.yaml:3:1  sped  is an unknown key
        3 | sped: 4
          | ^
      hint: did you mean speed?

    test.yaml:4:9  window  must be a duration like 30s (units ms, s, m, h), got 60
        4 | window: 60
          |         ^
      hint: did you mean 60s?

    test.yaml:6:3  gate.server  is not part of a scenario
        6 |   server: { port: 8080 }
          |   ^
      hint: the lab listens on 127.0.0.1

    test.yaml:9:7  gate.deployments.gpt-oss-20b.backends  is not part of a scenario
        9 |   backends: ["http://127.0.0.1:8081"]
          |   ^
      hint: the lab puts the model behind each deployment

    test.yaml:10:7  gate.deployments.gpt-oss-20b.max_concurent  is an unknown key
       10 |   max_concurent: 32
          |   ^
      hint: did you mean max_concurrent?

    test.yaml:11:26  gate.deployments.gpt-oss-20b.queue.max_wait  must be a duration like 30s (units ms, s, m, h), got 30
       11 |   queue: { max_wait: 30 }
          |                      ^
      hint: did you mean 30s?

    test.yaml:12:7  gate.deployments.gpt-oss-20b.reservations  need a capacity that they are parts of
       12 |   reservations: { agent-a: 80%, agent-b: 30%, nobody: 50% }
          |   ^
      hint: capacity: { requests_per_minute: 1000 } says what there is to reserve

    test.yaml:12:7  gate.deployments.gpt-oss-20b.reservations  add up to 160%, and 100% is all there is
       12 |   reservations: { agent-a: 80%, agent-b: 30%, nobody: 50% }
          |   ^

    test.yaml:12:51  gate.deployments.gpt-oss-20b.reservations.nobody  is no consumer of this file, got "nobody"
       12 |   reservations: { agent-a: 80%, agent-b: 30%, nobody: 50% }
          |                                               ^
      hint: known: agent-a, agent-b, user-1, user-2, user-3, dev

    test.yaml:14:22  gate.consumers.agent-a.kind  must be user or group or deployment or agent, got "robot"
       14 |   agent-a: { kind: robot }
          |                    ^

    test.yaml:15:21  defaults.prompt  must be at least 1, got 0
       15 | defaults: { prompt: 0, body: { max_tokens: 10 } }
          |                     ^

    test.yaml:15:32  defaults.body.max_tokens  is written by output, outside of body
       15 | defaults: { prompt: 0, body: { max_tokens: 10 } }
          |                                ^

    test.yaml:17:21  consumers.agent-a.retry  must be none or impatient or polite or sdk, got "politely"
       17 |   agent-a: { retry: politely }
          |                     ^
      hint: did you mean polite?

    test.yaml:18:19  consumers.agent-b.key  must be a key of visible ASCII characters, without blanks and without the word Bearer
       18 |   agent-b: { key: "*** *****" }
          |                   ^

    test.yaml:19:21  consumers.user.key  is one key for several: they could not be told apart
       19 |   user: { count: 3, key: *** }
          |                     ^
      hint: leave key or count out

    test.yaml:20:3  consumers.user-2  would be user-2, as user is already
       20 |   user-2: {}
          |   ^

    test.yaml:21:3  consumers.dev  is empty
       21 |   dev:
          |   ^
      hint: dev: {} is a consumer with the defaults

    test.yaml:26:16  phases[0].load.agent-a  must be a rate like 150/m (units /s, /m, /h), got 150
       26 |   agent-a: 150
          |            ^
      hint: did you mean 150/m?

    test.yaml:27:30  phases[0].load.agent-b.workers  cannot stand beside rate: a load is one of rate, workers, burst and replay
       27 |   agent-b: { rate: 10/s, workers: 4 }
          |                          ^

    test.yaml:28:33  phases[0].load.user.from  is not before the end of the phase, which is at 3m, got 5m
       28 |   user: { workers: 4, from: 5m }
          |                             ^

    test.yaml:29:7  phases[0].load.agnet-b  is no consumer of this scenario, got "agnet-b"
       29 |   agnet-b: 10/m
          |   ^
      hint: did you mean agent-b?

    test.yaml:30:12  phases[0].load.dev  needs one of rate, workers, burst and replay
       30 |   dev: { arrivals: gamma }
          |        ^
      hint: rate: 150/m, workers: 4, burst: 20 or replay: trace.jsonl

    test.yaml:30:24  phases[0].load.dev.arrivals  is gamma, which needs a burstiness
       30 |   dev: { arrivals: gamma }
          |                    ^
      hint: below 1 requests come in clusters, 1 is poisson

    test.yaml:31:29  phases[0].load.user-2.pause  goes with workers, not with rate
       31 |   user-2: { rate: 10/m, pause: 1s }
          |                         ^

    test.yaml:33:16  phases[0].assert.success  can never hold
       33 |   success: 120%
          |            ^

    test.yaml:34:17  phases[0].assert.ttft_p99  must compare with a duration like 500ms, got "<= 500"
       34 |   ttft_p99: <= 500
          |             ^
      hint: did you mean <= 500ms?

    test.yaml:35:7  phases[0].assert.ttf_p50  is an unknown key
       35 |   ttf_p50: 5ms
          |   ^
      hint: did you mean ttft_p50?

    test.yaml:36:19  phases[0].assert.model_ttft  compares with a phase that is not there, got "stedy"
       36 |   model_ttft: within 10% of stedy
          |               ^
      hint: did you mean steady?

    test.yaml:37:35  phases[0].assert.consumers.dev.served  must compare with a whole number like 417, got "at most 4.5"
       37 |   consumers: { dev: { served: at most 4.5, utilization: 99% }, agent: { served: 1 } }
          |                               ^

    test.yaml:37:48  phases[0].assert.consumers.dev.utilization  is known of all together only, not of one consumer
       37 |   consumers: { dev: { served: at most 4.5, utilization: 99% }, agent: { served: 1 } }
          |                                            ^

    test.yaml:37:68  phases[0].assert.consumers.agent  is no consumer of this scenario, got "agent"
       37 |   consumers: { dev: { served: at most 4.5, utilization: 99% }, agent: { served: 1 } }
          |                                                                ^
      hint: did you mean agent-a?

    test.yaml:38:11  phases[1].name  is the name of phases[0] already, got "steady"
       38 |   - name: steady
          |           ^

    test.yaml:40:7  phases[1].load.agent-b  never ends, and neither does its phase
       40 |   agent-b: { workers: 4 }
          |   ^
      hint: give it requests, or the phase a duration

    test.yaml:41:23  phases[1].load.user.replay  is a file that has not been read, got "nowhere.jsonl"
       41 |   user: { replay: nowhere.jsonl, prompt: 5 }
          |                   ^

    test.yaml:41:38  phases[1].load.user.prompt  has no effect: lengths come from the trace
       41 |   user: { replay: nowhere.jsonl, prompt: 5 }
          |                                  ^

    test.yaml:42:28  phases[1].load.user-2.burst[1]  must be at least 1, got 0
       42 |   user-2: { burst: [4, 0], prompt: { from: 10, to: 8 }, abort: { fraction: 30%, after: 2s..1s } }
          |                        ^

    test.yaml:42:56  phases[1].load.user-2.prompt.to  is less than from, which is 10, got 8
       42 |   user-2: { burst: [4, 0], prompt: { from: 10, to: 8 }, abort: { fraction: 30%, after: 2s..1s } }
          |                                                    ^

    test.yaml:42:92  phases[1].load.user-2.abort.after  must not end before it begins, got "2s..1s"
       42 |   user-2: { burst: [4, 0], prompt: { from: 10, to: 8 }, abort: { fraction: 30%, after: 2s..1s } }
          |                                                                                        ^

    test.yaml:43:11  assert.floor  needs a capacity that it is a part of
       43 | assert: { floor: at least 99%, goodput: 1, concurrent: many }
          |           ^
      hint: gate.deployments.NAME.capacity.requests_per_minute

    test.yaml:43:32  assert.goodput  needs objectives to be good by
       43 | assert: { floor: at least 99%, goodput: 1, concurrent: many }
          |                                ^
      hint: slo: { ttft: 500ms }

    test.yaml:43:56  assert.concurrent  must compare with a whole number like 417, got "many"
       43 | assert: { floor: at least 99%, goodput: 1, concurrent: many }
          |                                                        ^
      hint: it may begin with ">=", "<=", ">", "<", at least, at most, above or below"
  `);
});
