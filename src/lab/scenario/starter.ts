/** What `headgate load init` writes: a scenario to edit, with every part in a few words. It runs for 45 seconds. */
export const starterScenario = `# A load test for headgate load. All keys: docs/reference/scenarios.md.
#
#   headgate load scenario.yaml                                over HTTP, against a simulated model with a gate in front
#   headgate load scenario.yaml --virtual --assert             the same on virtual time, in a moment; fails if an assertion does
#   headgate load scenario.yaml --no-gate                      what happens without the gate
#   headgate load scenario.yaml --target http://127.0.0.1:8080 against a server of your own
description: Two teams and a batch share a model; the batch must not hurt them.
model: nim-gpt-oss-20b # a preset of headgate model; a list runs one after the other, side by side in the report
speed: 4 # times as fast as the clock
window: 30s # the stretch in which floors are judged
slo: { ttft: 500ms, e2e: 10s } # what goodput calls good

# What stands in front of the model: a headgate.yaml without server, admin, backends and keys.
gate:
  deployments:
    gpt-oss-20b:
      max_concurrent: 32
      queue: { max_wait: 30s }
      capacity: { requests_per_minute: 1000, utilization_threshold: 80%, burst: 5s, meter: 10s }
      reservations: { fraud: 40%, support: 20% }
  consumers:
    fraud: { kind: deployment }
    support: { kind: agent }

# What requests are like, unless a consumer or a load says otherwise.
defaults: { prompt: 116, stream: true }

# Those who send load.
consumers:
  fraud: { prompt: { from: 50, to: 300 }, output: 40 } # lengths: a number, a list, { from, to }, { median, spread, from, to }
  support: { retry: sdk, patience: 30s } # retry: none, impatient, polite or sdk
  user: { count: 10, abort: { fraction: 10%, after: 100ms..2s } } # user-1 to user-10; one in ten hangs up
  batch: { prompt: 800, output: 100, retry: polite }

# What happens, one after the other.
phases:
  - name: morning
    duration: 1m
    load:
      fraud: 200/m # by chance (Poisson), whatever becomes of the requests before
      support: { rate: 100/m, arrivals: gamma, burstiness: 0.5 } # in clusters
      user: 6/m # each of the ten
    assert: { ttft_p99: at most 1s, consumers: { fraud: { success: 100% } } }

  - name: batch
    duration: 2m
    load:
      fraud: 300/m
      support: 150/m
      user: 6/m
      batch: { workers: 40, from: 10s } # each asks again when its answer is over
    assert:
      floor: at least 98%
      consumers: { fraud: { success: 100%, ttft_p99: at most 1s }, support: { success: 100% } }

# Over the whole run. Several conditions on one thing are a list: [at least 1, at most 32].
assert: { concurrent: at most 32, gpu_errors: 0, incomplete: 0, without_retry_after: 0 }
`;
