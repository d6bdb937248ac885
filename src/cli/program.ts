import { Command, Option } from "commander";

import { describePresets } from "../lab/model/run.ts";
import type { ExitCode } from "./exit.ts";
import type { BatchFlags } from "./commands/batch-options.ts";
import type { CheckOptions } from "./commands/check.ts";
import type { DemoOptions } from "./commands/demo.ts";
import type { HashKeyOptions, NewKeyOptions } from "./commands/keys.ts";
import type { ModelOptions } from "./commands/model.ts";
import type { LoadFlags } from "./load/options.ts";
import type { ServeOptions } from "./commands/serve.ts";
import { packageVersion } from "./version.ts";

/** Builds the command line. Each command is loaded when it is called; `done` hears how it ended. */
export function createProgram(done: (code: ExitCode) => void): Command {
  const program = new Command("headgate")
    .description("Traffic control for shared LLM deployments: a fair gate in front of a model server.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--debug", "log more, and show stack traces")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .showSuggestionAfterError()
    .showHelpAfterError("(run headgate --help, or headgate COMMAND --help)")
    .addHelpText(
      "after",
      "\nStart here:\n  $ headgate demo\n  $ headgate serve --backend http://localhost:8081 --max-concurrent 5\n",
    );
  addServe(program, done);
  addCheck(program, done);
  addKeys(program, done);
  addBatch(program, done);
  addModel(program, done);
  addLoad(program, done);
  addDemo(program, done);
  return program;
}

/** For processes that the lab starts. */
function withParent(): Option {
  return new Option("--with-parent", "stop when standard input ends").hideHelp();
}

function addServe(program: Command, done: (code: ExitCode) => void): void {
  program
    .command("serve")
    .description("run the gate")
    .option("--port <port>", "port to listen on, 0 for any (default 8080)")
    .option("--host <address>", "address to listen on (default 127.0.0.1: this machine only)")
    .option("--backend <url...>", "model server to relay to, may be repeated (default http://localhost:8081)")
    .option("--max-concurrent <n>", "requests that may run at the backends at once (default 5)")
    .option("--max-inflight-tokens <n>", "tokens, input and expected output, that may be in flight at once, like 160k")
    .option("--queue-length <n>", "requests that may wait, 0 to refuse instead (default 4 per seat, at least 64)")
    .option("--queue-wait <duration>", "how long a request may wait, like 30s (default 5m)")
    .option("--api-key <key>", "key to send to the backends; better put it into HEADGATE_BACKEND_KEY")
    .option("--drain-timeout <duration>", "how long running requests may go on after SIGTERM (default 10m)")
    .option("--config <file>", "read all of this from a YAML file instead")
    .addOption(new Option("--speed <factor>", "let the gate's time run so many times as fast, for the lab").hideHelp())
    .addOption(withParent())
    .addHelpText(
      "after",
      `
Examples:
  At most 5 requests at once reach a fragile llama-server, the others wait their turn:
    $ headgate serve --port 8080 --backend http://localhost:8081 --max-concurrent 5
  Everything from a file:
    $ headgate serve --config headgate.yaml
`,
    )
    .action(async (options: ServeOptions) => {
      const { serve } = await import("./commands/serve.ts");
      done(await serve({ ...options, debug: program.opts()["debug"] === true }));
    });
}

function addCheck(program: Command, done: (code: ExitCode) => void): void {
  program
    .command("check")
    .description("tell everything that is wrong with a configuration file")
    .argument("<file>", "the YAML file")
    .option("--diff <old>", "tell in words what changes if this file takes the place of an old one")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ headgate check headgate.yaml\n  $ headgate check --diff headgate.yaml headgate.new.yaml\n",
    )
    .action(async (file: string, options: CheckOptions) => {
      const { check } = await import("./commands/check.ts");
      done(await check(file, options));
    });
}

function addKeys(program: Command, done: (code: ExitCode) => void): void {
  const keys = program
    .command("keys")
    .description("make keys for consumers")
    .addHelpText(
      "after",
      "\nExamples:\n  $ headgate keys new alice --expires 90d\n  $ headgate keys hash < old-key.txt\n",
    )
    // Commands take this over from the one that they belong to when they are made.
    .exitOverride();
  keys
    .command("new")
    .description("make a key: prints it once, and the line for the file")
    .argument("<name>", "the consumer that it is for")
    .option("--expires <when>", "when it stops to be good: after 90d, 12h or 4w, or on a day like 2027-01-31")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ headgate keys new alice --expires 90d\n")
    .action(async (name: string, options: NewKeyOptions) => {
      const { newKeyFor } = await import("./commands/keys.ts");
      done(newKeyFor(name, options));
    });
  keys
    .command("hash")
    .description("print the line for a key that is there already, read from standard input")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ headgate keys hash < old-key.txt\n")
    .action(async (options: HashKeyOptions) => {
      const { hashKey } = await import("./commands/keys.ts");
      done(await hashKey(options));
    });
}

function addBatch(program: Command, done: (code: ExitCode) => void): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  program
    .command("batch")
    .description("send the prompts of a file through a rate-limited API, as fast as its limits allow")
    .argument("<input>", "rows in OpenAI's batch format, or lines with messages or a prompt; - for standard input")
    .option("-o, --output <file>", "where answers go (default: INPUT with .out.jsonl), - for standard output")
    .option("--url <url>", "address of the API, like http://127.0.0.1:8080/v1")
    .option("--limit <limit>", "2/s, 500/m, 200000tok/m, … or auto to learn from the server; may be repeated", collect)
    .option("--guard <duration>", "how much longer than its window a limit is held, against jitter (default: adapts)")
    .option("--cold-start <what>", "busy: others may have used the limits, so wait a window first (default idle)")
    .option("--concurrency <n>", "requests in flight at once (default 50)")
    .option("--max-attempts <n>", "attempts per row; being refused for the rate is none (default 6)")
    .option("--timeout <duration>", "how long one attempt may take, like 10m (default: no bound)")
    .option("--max-pause <duration>", "stop when the server asks for pauses of more than that (default 10m)")
    .option("--max-failures <n>", "stop when so many rows failed without a success in between; 0 never (default 100)")
    .option("--schedule <which>", "fifo, or longest-first of the next 1,000 rows (default fifo)")
    .option("--order <which>", "lines of OUTPUT in the order of completion or input (default completion)")
    .option("--model <name>", "model of rows that name none")
    .option("--api <name>", "openai or anthropic (default openai)")
    .option("--header <header>", "name: value, sent with every request; may be repeated", collect)
    .option("--api-key-env <name>", "environment variable that holds the key (default OPENAI_API_KEY)")
    .option("--price <in,out>", "per million tokens, to tell the cost, like 0.15,0.60")
    .option("--max-cost <amount>", "stop before the cost of all answers in OUTPUT goes above that; needs --price")
    .option("--dry-run", "tell rows, tokens, cost and the least time; send nothing")
    .option("--sample <n>", "send only n rows at random, and tell what all would take")
    .option("--retry-failed", "send rows again that failed before")
    .option("--skip-bad-lines", "leave out lines that are no rows, instead of refusing INPUT")
    .option("--force", "go on with OUTPUT although INPUT or settings have changed, or the server asked for a pause")
    .option("--progress <how>", "bar, text, json or none (default: bar on a terminal, else text)")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      `
The same command again goes on where it stopped.

Exit codes:
  0    every row that was to be sent has an answer
  1    a file could not be read or written, or another run has OUTPUT
  2    rows failed, or lines were no rows; or a mistake in flags or INPUT, and nothing was sent
  3    stopped with rows left: key, quota, pause, failures, cost, server not there
  129  the terminal was closed; 130 Ctrl-C; 143 SIGTERM

Examples:
  Two requests a second, and not one more:
    $ headgate batch prompts.jsonl --url http://127.0.0.1:8080/v1 --model gpt-oss-20b --limit 2/s
  Several limits at once, and what it would take:
    $ headgate batch prompts.jsonl --url https://api.openai.com/v1 --limit 500/m --limit 200000tok/m --dry-run
`,
    )
    .action(async (input: string, options: BatchFlags) => {
      const { batch } = await import("./commands/batch.ts");
      done(await batch(input, options));
    });
}

function addModel(program: Command, done: (code: ExitCode) => void): void {
  program
    .command("model")
    .description("run a simulated model server, to test a gate against")
    .option("--port <port>", "port to listen on, 0 for any (default 8081)")
    .option("--host <address>", "address to listen on (default 127.0.0.1)")
    .option("--preset <name>", "which server to simulate (default nim-gpt-oss-20b)")
    .option("--seed <n>", "same seed, same answers (default 1)")
    .option("--speed <factor>", "let simulated time run so many times as fast (default 1)")
    .addOption(withParent())
    .option("--rate-limit <limit>", "refuse requests beyond it with 429, like 2/s; breaches are counted in /sim/stats")
    .option("--window <kind>", "how it counts: first-hit, aligned, sliding, gcra or gcra:BURST (default first-hit)")
    .option("--retry-after", "say when to come back in refusals")
    .option("--latency <range>", "answer after a time drawn from a range, like 2s..5s, whatever the preset takes")
    .addHelpText(
      "after",
      () => `\nPresets:\n${describePresets()}\n
Examples:
  $ headgate model --preset strix-halo-235b
  An API that allows 2 calls a second and takes 2 to 5 seconds for each:
  $ headgate model --rate-limit 2/s --latency 2s..5s
`,
    )
    .action(async (options: ModelOptions) => {
      const { model } = await import("./commands/model.ts");
      done(await model(options));
    });
}

function addDemo(program: Command, done: (code: ExitCode) => void): void {
  program
    .command("demo")
    .description("run a simulated model with the gate in front, and watch")
    .option("--port <port>", "port of the gate (default 8080, or any free one if that is taken)")
    .option("--preset <name>", "which server to simulate (default nim-gpt-oss-20b)")
    .option("--max-concurrent <n>", "requests that may run at once (default 5)")
    .addHelpText("after", "\nExample:\n  $ headgate demo --preset strix-halo-235b --max-concurrent 5\n")
    .action(async (options: DemoOptions) => {
      const { demo } = await import("./commands/demo.ts");
      done(await demo(options));
    });
}

function addLoad(program: Command, done: (code: ExitCode) => void): void {
  const load = program
    .command("load")
    .description("run a load test, and report who got what and how the model fared")
    .argument("[scenario]", "a built-in one (see --list), or a YAML file")
    .option("--list", "list the built-in scenarios")
    .option("--virtual", "on virtual time: the gate's engine and the simulated model without sockets, in a few seconds")
    .option("--speed <factor>", "run so many times as fast as life (default: the scenario's own, 1 for a --target)")
    .option("--duration <duration>", "scale the phases so that together they last so long, like 5m")
    .option("--seed <n>", "same seed, same load; a range like 1-10 runs one after the other (default 1)")
    .option("--target <url...>", "send the load to this server instead of a simulated model; given twice, side by side")
    .option("--metrics <url>", "the target's page of Prometheus metrics, to see its model")
    .option("--no-gate", "also send the same load straight to the model, and show both side by side")
    .option("--report <dir>", "write report.html, report.json and every request as a line of JSON")
    .option("--assert", "end with 1 where something that the scenario asserts does not hold")
    .option("--verbose", "show the checks that hold, too")
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      `
Examples:
  The six situations of a shared deployment, 17 minutes in a few seconds:
    $ headgate load shared-deployment --virtual
  A GPU that dies of ten requests at once, with and without the gate, over HTTP:
    $ headgate load fragile-gpu --no-gate --report ./fragile
  Your own scenario against your own gate:
    $ headgate load init && headgate load scenario.yaml --target http://127.0.0.1:8080 --report ./run
`,
    )
    // Commands take this over from the one that they belong to when they are made.
    .exitOverride()
    .action(async (scenario: string | undefined, options: LoadFlags) => {
      const command = await import("./commands/load.ts");
      done(await command.load(scenario, options));
    });
  load
    .command("init")
    .description("write a scenario to edit")
    .argument("[file]", "where to (default scenario.yaml)")
    .addHelpText("after", "\nExample:\n  $ headgate load init my-load.yaml\n")
    .action(async (file: string | undefined) => {
      const { initScenario } = await import("./commands/load-init.ts");
      done(initScenario(file));
    });
  load
    .command("diff")
    .description("tell what is different between two reports")
    .argument("<before>", "a report.json, or the folder that it is in")
    .argument("<after>", "the other one")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ headgate load diff ./monday ./tuesday\n")
    .action(async (before: string, after: string, _options: unknown, command: Command) => {
      const { diffRuns } = await import("./commands/load-diff.ts");
      // `load` has a --json too, and takes it.
      done(diffRuns(before, after, command.optsWithGlobals<{ json?: boolean }>()));
    });
}
