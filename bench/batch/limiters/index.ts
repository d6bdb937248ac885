/* Ten calls of an API that allows two a second, by Headgate and by others. See bench/README.md. */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { describeCommit, describeMachine } from "../../report/machine.ts";
import { CONTENDERS } from "./contenders.ts";
import { LIMIT } from "./protocol.ts";
import { leastSeconds, type Run, standingOf, tableOf } from "./report.ts";
import { ServerProcess } from "./server-process.ts";

/** They sleep most of the time. */
const AT_ONCE = 5;

const { values: flags } = parseArgs({ options: { runs: { type: "string", default: "10" }, only: { type: "string" } } });
const seeds = Array.from({ length: Number(flags.runs) }, (_, index) => index + 1);
const names = Object.keys(CONTENDERS).filter((name) => flags.only === undefined || name.includes(flags.only));

const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${process.version}, commit ${describeCommit()}`);
if (machine.load_before > 0.5) console.log(`others are at work on this machine (load ${machine.load_before})`);

const left = seeds.flatMap((seed) => names.map((name) => ({ seed, name })));
const runs: Run[] = [];
await Promise.all(Array.from({ length: AT_ONCE }, workThrough));

const least = seeds.map(leastSeconds);
const leastMean = least.reduce((sum, seconds) => sum + seconds, 0) / least.length;
const standings = names.map((name) =>
  standingOf(
    name,
    runs.filter((run) => run.name === name),
  ),
);
console.log(`\n10 calls, 2/s counted from the first hit, 2 to 5 s each, seconds of ${seeds.length} runs\n`);
console.log(tableOf(standings));
console.log(`\nthe least that these latencies and the limit allow: ${leastMean.toFixed(2)} on average`);

if (flags.runs !== "10" || flags.only !== undefined) console.log("not recorded: only ten runs of all are");
else {
  const folder = new URL("../../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const facts = { machine, date: new Date().toISOString(), node: process.version, commit: describeCommit() };
  const results = { ...facts, server: LIMIT, seeds, least_possible_mean: leastMean, contenders: standings, runs };
  writeFileSync(new URL("batch.json", folder), `${JSON.stringify(results, undefined, 2)}\n`);
  console.log("recorded in bench/results/batch.json");
}

async function workThrough(): Promise<void> {
  const server = new ServerProcess();
  for (let task = left.shift(); task !== undefined; task = left.shift()) {
    const { name, seed } = task;
    const contend = CONTENDERS[name];
    if (contend === undefined) continue;
    const url = `http://127.0.0.1:${await server.start(seed)}`;
    await (await fetch(`${url}/health`)).text();
    const begun = performance.now();
    const failed = await contend(() => ask(url));
    const seconds = (performance.now() - begun) / 1_000;
    runs.push({ name, seed, seconds, failed, ...verdict(await server.stop()) });
  }
  server.end();
}

function verdict({ refused, worst }: { refused: number; worst: number }): Pick<Run, "refused" | "worst"> {
  return { refused, worst };
}

async function ask(url: string): Promise<number> {
  const body = { model: "any", max_tokens: 5, messages: [{ role: "user", content: "Say hello" }] };
  const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body) });
  await answer.arrayBuffer();
  return answer.status;
}
