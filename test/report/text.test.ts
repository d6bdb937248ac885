import { describe, expect, it } from "vitest";

import { formatReport } from "../../src/lab/report/text/report.ts";
import type { Report } from "../../src/lab/report/types.ts";
import { COLORED, PLAIN } from "./palette.ts";
import { fragileReport, promptReport } from "./sample-others.ts";
import { quietReport, sampleReport } from "./sample.ts";

const options = { verbose: false, files: ["results/report.html", "results/report.json"] };
const REPORTS: Readonly<Record<string, Report>> = {
  "one side": sampleReport(),
  "two sides": sampleReport({ ungated: true }),
  "many consumers": sampleReport({ users: 60 }),
  "no answers": quietReport(),
  "the fragile GPU": fragileReport(),
  "prompt speed": promptReport(),
  "long names": sampleReport({ names: ["a".repeat(90), "b c".repeat(40), "x", "y"] }),
};

describe("a report for the terminal", () => {
  it("has one side's figures, and the article's beside them", () => {
    expect(formatReport(sampleReport(), PLAIN, options)).toMatchInlineSnapshot(`
      "shared-deployment  passed: all 7 checks hold
      simulated nim-gpt-oss-20b behind headgate, 17m, speed 4, seed 7

      Consumers
      consumer    sent  served  success  worst  floor  TTFT p50  TTFT p99  refused by
      agent-a   29,505   4,893    16.6%    148  99.7%      36ms      58ms  24,612 capacity_reserved
      agent-b   29,184   3,468    11.9%    147  99.6%      36ms      58ms  25,716 capacity_reserved
      agent-c   29,572   4,939    16.7%    146  99.5%      36ms      58ms  24,633 capacity_reserved
      dev       19,756   2,478    12.5%    145  99.4%      36ms      58ms  17,278 capacity_reserved

      Phases
         phase             when            sent  served  success  refused  per min  floor   used
      1  steady            0:00–3:00      1,807   1,807     100%        0      602  99.4%  99.1%
      2  slight overload   3:00–5:00      2,348   1,988    84.7%      360      994  99.4%  99.1%
      3  heavy overload    5:00–8:00     21,397   3,007    14.1%   18,390    1,002  99.4%  99.1%
      4  extreme overload  8:00–11:00    36,112   3,002     8.3%   33,110    1,001  99.4%  99.1%
      5  late joiner       11:00–14:00   24,969   2,997      12%   21,972      999  99.4%  99.1%
      6  reserved only     14:00–17:00   21,384   2,977    13.9%   18,407      992  99.4%  99.1%
         all               17m          108,017  15,778    14.6%   92,239      928  99.4%  99.1%

      Times and tokens
         phase             TTFT p50  TTFT p99  ITL p50  e2e p50  e2e p99  queue p99
      1  steady                36ms      58ms     18ms     1.3s    2.08s        4ms
      2  slight overload       36ms      58ms     18ms     1.3s    2.08s        4ms
      3  heavy overload        36ms      58ms     18ms     1.3s    2.08s        4ms
      4  extreme overload      36ms      58ms     18ms     1.3s    2.08s        4ms
      5  late joiner           36ms      58ms     18ms     1.3s    2.08s        4ms
      6  reserved only         36ms      58ms     18ms     1.3s    2.08s        4ms
         all                   36ms      58ms     18ms     1.3s    2.08s        4ms

      model   at most 24 requests at once, of 32 seats, GPU well
              first token 35ms, between tokens 18ms, GPU 92%, KV cache 2.7%

      checks  7 of 7 hold

      The article on shared deployments, and this run
      situation                     load  the article saw                 ours: served  per min  floors
      steady                    ~600/min  100% served, no 429                     100%      602   99.4%
      slight overload         ~1,200/min  100% served, burst absorbed            84.7%      994   99.4%
      heavy overload          ~7,200/min  –                                      14.1%    1,002   99.4%
      extreme overload       ~12,000/min  ~1,000 of 20,596/min at peak            8.3%    1,001   99.4%
      late joiner             ~9,000/min  agents unaffected, dev in pool           12%      999   99.4%
      … dev, fullest window               ~200/min                                8.7%      402   99.4%
      reserved only           ~7,200/min  split by reservation                   13.9%      992   99.4%

      Over the whole run
      consumer  reserved  article: success  served  ours: success  served  worst floor
      agent-a        30%               29%   4,172          16.6%   4,893        99.7%
      agent-b        20%             30.2%   4,332          11.9%   3,468        99.6%
      agent-c        30%             28.9%   4,176          16.7%   4,939        99.5%
      dev           pool             28.9%   2,828          12.5%   2,478        99.4%

      The model under it
                                             article              ours
      GPU busy, fullest phase                 91–95%               92%
      time to first token                       35ms              35ms
      time between tokens                       18ms              18ms
      requests at once                         18–22    22, at most 24
      tokens in the fullest minute           199,350           203,000
      … in / out                    115,939 / 83,411  117,740 / 85,260

      generator: sent late by 0.4ms (p50), 3.6ms (p99), 6.2ms (max); event loop p99 6ms
      written results/report.html
      written results/report.json"
    `);
  });

  it("compares two sides, shows the checks that failed, and says that the GPU wedged", () => {
    const text = formatReport(sampleReport({ ungated: true }), PLAIN, options);
    expect(text.slice(text.indexOf("── without the gate"), text.indexOf("The article"))).toMatchInlineSnapshot(`
      "── without the gate ────────────────────────────────────────────────────────────────────────────────

      Consumers
      consumer    sent  served  success  failed  TTFT p50  TTFT p99  refused by
      agent-a   29,156   1,219     4.2%  27,937      36ms      58ms  –
      agent-b   29,130   1,185     4.1%  27,945      36ms      58ms  –
      agent-c   29,375   1,227     4.2%  28,148      36ms      58ms  –
      dev       19,990   1,231     6.2%  18,759      36ms      58ms  –

      Phases
         phase             when            sent  served  success  refused   failed  per min
      1  steady            0:00–3:00      1,735   1,735     100%        0        0      578
      2  slight overload   3:00–5:00      2,342   2,251    96.1%        0       91    1,126
      3  heavy overload    5:00–8:00     21,656     876       4%        0   20,780      292
      4  extreme overload  8:00–11:00    35,881       0       0%        0   35,881        0
      5  late joiner       11:00–14:00   24,694       0       0%        0   24,694        0
      6  reserved only     14:00–17:00   21,343       0       0%        0   21,343        0
         all               17m          107,651   4,862     4.5%        0  102,789      286

      Times and tokens
         phase             TTFT p50  TTFT p99  ITL p50  e2e p50  e2e p99  queue p99
      1  steady                36ms      58ms     18ms     1.3s    2.08s        4ms
      2  slight overload       36ms      58ms     18ms     1.3s    2.08s        4ms
      3  heavy overload        36ms      58ms     18ms     1.3s    2.08s        4ms
      4  extreme overload         –         –        –        –        –          –
      5  late joiner              –         –        –        –        –          –
      6  reserved only            –         –        –        –        –          –
         all                   36ms      58ms     18ms     1.3s    2.08s        4ms

      Failures
      reason      count  of all sent  most often to
      HTTP 500  102,789        95.5%  agent-c 28,148, 3 more

      model   at most 240 requests at once, GPU wedged in heavy overload
              first token 35ms, between tokens 18ms, GPU 92%, KV cache 2.7%

      checks  0 of 7 hold
           phase             of   metric       must be                        was
        ✗  steady            all  success      100%                           99.1%
        ✗  heavy overload    all  floor        at least 99%                   not seen
        ✗  extreme overload  all  utilization  at least 98.5%                 not seen
        ✗  extreme overload  all  model_ttft   within 10% of steady (35.2ms)  not seen
        ✗  late joiner       dev  served       at most 417                    0
        ✗  whole run         all  concurrent   at most 32                     240
        ✗  whole run         all  gpu_errors   0                              1

      Side by side
                                   with the gate  without the gate
      served of sent                       14.6%              4.5%
      floor kept, worst window             99.4%                 –
      capacity used, worst window          99.1%                 –
      refused                             92,239                 0
      first token, p99                      58ms              58ms
      whole answer, p99                    2.08s             2.08s
      most at the model at once               24               240
      GPU                                   well            wedged

      "
    `);
  });

  it("stands beside the stress tests of the fragile GPU", () => {
    const text = formatReport(fragileReport(), PLAIN, options);
    expect(text.slice(text.indexOf("The stress tests"))).toMatchInlineSnapshot(`
      "The stress tests of the fragile GPU, and this run
      test                                 phase            article   ours
      concurrency 1–32                     ladder             60/60  60/60
      bursts of 5–50                       bursts             65/85  85/85
      large context, 100–3,000 tokens      large context        5/5    5/5
      long generation, up to 2,000 tokens  long generation      5/5    5/5
      memory pressure, 4 at once           memory pressure      4/4    4/4
      rapid reconnect                      rapid reconnect    50/50  50/50
      sustained, 5 minutes                 sustained          21/21  21/21
      GPU errors                                                  0      0

      generator: sent late by 0.4ms (p50), 3.6ms (p99), 6.2ms (max); event loop p99 6ms
      written results/report.html
      written results/report.json"
    `);
  });

  it("stands beside the table of prompt speeds", () => {
    const text = formatReport(promptReport(), PLAIN, options);
    expect(text.slice(text.indexOf("The table of prompt speeds"))).toMatchInlineSnapshot(`
      "The table of prompt speeds, and this run (tokens/s)
      prompt       batch 256: article  ours  batch 1024: article  ours
      500 tokens                  291   291                  312   312
      1000 tokens                 486   486                  517   518
      2000 tokens                 405   405                  460   460
      generation                    9     9                  9.5   9.5

      generator: sent late by 0.4ms (p50), 3.6ms (p99), 6.2ms (max); event loop p99 6ms
      written results/report.html
      written results/report.json"
    `);
  });

  it("says what a run without answers knows", () => {
    expect(formatReport(quietReport(), PLAIN, { verbose: false, files: [] }).split("The article")[0])
      .toMatchInlineSnapshot(`
        "shared-deployment  nothing was asserted
        simulated nim-gpt-oss-20b behind headgate, 17m, speed 4, seed 7
        ended early: every request failed

        Consumers
        consumer  sent  served  success  failed  TTFT p50  TTFT p99  refused by
        agent-a    100       0       0%     100         –         –  –
        agent-b    100       0       0%     100         –         –  –
        agent-c    100       0       0%     100         –         –  –
        dev        100       0       0%     100         –         –  –

        Phases
           phase             when         sent  served  success  refused  failed  per min
        1  steady            0:00–3:00     100       0       0%        0     100        0
        2  slight overload   3:00–5:00     100       0       0%        0     100        0
        3  heavy overload    5:00–8:00     100       0       0%        0     100        0
        4  extreme overload  8:00–11:00    100       0       0%        0     100        0
        5  late joiner       11:00–14:00   100       0       0%        0     100        0
        6  reserved only     14:00–17:00   100       0       0%        0     100        0
           all               17m           100       0       0%        0     100        0

        Times and tokens
           phase             TTFT p50  TTFT p99  ITL p50  e2e p50  e2e p99
        1  steady                   –         –        –        –        –
        2  slight overload          –         –        –        –        –
        3  heavy overload           –         –        –        –        –
        4  extreme overload         –         –        –        –        –
        5  late joiner              –         –        –        –        –
        6  reserved only            –         –        –        –        –
           all                      –         –        –        –        –

        Failures
        reason    count  of all sent  most often to
        HTTP 500    100         100%  agent-a 100, 3 more

        model   not seen

        "
      `);
  });

  it("shows all checks and consumers when it is asked to", () => {
    const report = sampleReport({ users: 20 });
    const [short, long] = [false, true].map((verbose) => formatReport(report, PLAIN, { ...options, verbose }));
    expect(short).toContain("and 13 more");
    expect(short).not.toContain("at most 417");
    expect(long).not.toContain("more\n");
    expect(long).toContain("user-20");
    expect(long).toContain("at most 417");
  });

  for (const [name, report] of Object.entries(REPORTS)) {
    it(`is never wider than 100 columns: ${name}`, () => {
      for (const verbose of [false, true]) {
        const lines = formatReport(report, PLAIN, { ...options, verbose }).split("\n");
        expect(lines.filter((line) => line.length > 100)).toEqual([]);
      }
    });
  }

  it("is the same with colours, colours aside", () => {
    const report = sampleReport({ ungated: true });
    // oxlint-disable-next-line no-control-regex -- colours take no room
    expect(formatReport(report, COLORED, options).replaceAll(/\u001B\[\d+m/g, "")).toBe(
      formatReport(report, PLAIN, options),
    );
  });

  it("lets no name move the cursor", () => {
    const report = sampleReport({ names: ["\u001B[2J", "a\nb", "\u202Eevil", "dev"] });
    const lines = formatReport({ ...report, scenario: { ...report.scenario, name: "x\r\u0007" } }, PLAIN, options);
    // oxlint-disable-next-line no-control-regex -- these must not be there
    expect(lines.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001F\u202E]/);
  });
});
