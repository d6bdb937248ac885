import { formatEntry } from "../../config/tools.ts";
import type { MetricName } from "./assertion.ts";
import { METRICS } from "./assertion.ts";
import { SCENARIO_GUIDE } from "./guide.ts";
import { BEHAVIOUR_KEYS } from "./schema/behaviour.ts";
import { isMetric, namesOfMetrics } from "./schema/conditions.ts";

/** The page `docs/reference/scenarios.md`, from the schema. It stands as the formatter would leave it. */
export function scenarioReferencePage(): string {
  const keys = SCENARIO_GUIDE.outline.entries.filter(({ path }) => isNew(path)).map(formatEntry);
  return [HEAD, ...keys, METRICS_HEAD, formatMetrics()].join("\n\n") + "\n";
}

/** A behaviour may stand in three places and assertions in four; nobody wants to read them more than once. */
function isNew(path: readonly string[]): boolean {
  const [top = ""] = path;
  if (path.some(isMetric) || (path[1] === "output" && path.length > 2)) return false;
  if (top === "consumers" && path.some((key) => BEHAVIOUR_KEYS.includes(key))) return false;
  if (path.includes("load") && path.slice(3).some((key) => BEHAVIOUR_KEYS.includes(key))) return false;
  return !(top === "assert" && path.length > 1);
}

const HEAD = `# Scenarios

<!-- Generated from the schema in src/lab/scenario/schema. Change it there. -->

\`headgate load SCENARIO\` reads a file in YAML 1.2, or one that is built in: \`abort-storm\`, \`batch-at-night\`,
\`config-edit-under-load\`, \`fragile-gpu\`, \`late-joiner\`, \`noisy-neighbour\`, \`prompt-speed\`, \`shared-deployment\` and
\`twenty-times\`. \`headgate load --list\` says what each shows, and \`headgate load init\` writes one to edit. Mistakes are reported as those of [a configuration](configuration.md) are: all at once,
each with line and column. Values and variables are written in the same way, too.

\`\`\`yaml
description: A batch beside a team that has a floor.
model: nim-gpt-oss-20b
gate:
  deployments:
    gpt-oss-20b:
      max_concurrent: 32
      queue: { max_wait: 30s }
      capacity: { requests_per_minute: 1000 }
      reservations: { fraud: 40% }
consumers:
  fraud: { prompt: 116 }
  batch: { prompt: { median: 2000, spread: 0.5, from: 500, to: 8000 }, retry: polite }
phases:
  - name: alone
    duration: 1m
    load: { fraud: 300/m }
    assert: { success: 100% }
  - name: with the batch
    duration: 3m
    load:
      fraud: 300/m
      batch: { workers: 50 }
    assert: { floor: at least 99%, model_itl: within 10% of alone }
\`\`\`

Times and rates are those of the scenario: at \`speed: 4\`, a minute of it takes 15 seconds.

## Loads

| load                                               | when requests go out                                                  |
| -------------------------------------------------- | --------------------------------------------------------------------- |
| \`150/m\`, or \`{ rate: 150/m }\`                      | by chance, 150 a minute on average, whatever becomes of those before  |
| \`{ rate: 10/s, arrivals: constant }\`               | every 100 ms                                                          |
| \`{ rate: 10/s, arrivals: gamma, burstiness: 0.5 }\` | by chance, in clusters                                                |
| \`{ workers: 8, pause: 1s }\`                        | eight clients, each a second after its last answer                    |
| \`{ workers: [1, 2, 4], requests: 10 }\`             | ten requests by one client, then ten by two at once, then ten by four |
| \`{ burst: [5, 10, 20] }\`                           | five at once; when all are over, ten at once; then twenty             |
| \`{ replay: trace.jsonl }\`                          | as recorded                                                           |

## Conditions

| condition                   | what must hold                                      |
| --------------------------- | --------------------------------------------------- |
| \`100%\`, \`60\`                | exactly that                                        |
| \`at least 99%\`, \`">= 99%"\`  | that or more; \`above\` and \`">"\` are strict          |
| \`at most 500ms\`, \`<= 500ms\` | that or less; \`below\` and \`<\` are strict            |
| \`within 10% of steady\`      | the same as in the phase \`steady\`, give or take 10% |
| \`[at least 1, at most 32]\`  | all of them                                         |

In YAML, text that begins with \`>\` needs quotes.

## Keys`;

const METRICS_HEAD = `## Metrics

What can stand in an \`assert\`. Counts are whole numbers, times are durations, rates are like \`300/m\`, and parts are
percentages or numbers such as \`1.1\`. Those with a dot are also known of single consumers. What of a
\`--target\` cannot be seen is left out and told (\`not judged\`): \`concurrent\` and \`gpu_errors\` need the simulated model's own
count, \`model_ttft\` and \`model_itl\` its metrics (\`--metrics\`). A figure without a value, such as a time where nothing was
served, does not hold.`;

const UNIT_WORDS = { count: "count", ratio: "part", ms: "time", perMinute: "rate" } as const;

function formatMetrics(): string {
  const rows = namesOfMetrics().map(toRow);
  const header = ["metric", "unit", "of one", "meaning"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const format = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [format(header), rule, ...rows.map(format)].join("\n");
}

function toRow(name: MetricName): readonly string[] {
  const { unit, perConsumer, meaning } = METRICS[name];
  return [`\`${name}\``, UNIT_WORDS[unit], perConsumer ? "·" : "", meaning];
}
