/*
 * Whether the load generator tells the truth. First beside what a simulated model says of itself: the mean time to the first token, less the way
 * there and back and the lateness of timers (both measured at the same time, and both told), the mean time between tokens and the
 * mean whole time. Then beside autocannon, against a server that answers after 50 ms. All must be within 3%. It wants the machine for itself.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { parseArgs } from "node:util";

import { describeCommit, describeMachine } from "../report/machine.ts";
import { againstAutocannon } from "./against-autocannon.ts";
import { againstModel, type Course } from "./against-model.ts";
import { autocannonTable, misses, modelTable, type Proof } from "./report.ts";

const NIM: Course = {
  preset: "nim-gpt-oss-20b",
  loads: [60, 300, 600, 1_000, 1_500].map((perMinute) => ({
    name: `${perMinute} a minute`,
    arrivals: { kind: "poisson", perMinute },
  })),
};
/** So slow that the way does not count. More than 9 at once would wedge it. */
const STRIX: Course = {
  preset: "strix-halo-235b",
  loads: [
    {
      name: "3 at once",
      arrivals: { kind: "workers", steps: [3], requests: undefined, pauseMs: 0 },
      behaviour: { output: { kind: "turns", values: [16] } },
    },
  ],
};
/** 100, 500 and 1,500 requests a second. */
const CONNECTIONS = [5, 25, 75];

const { values: flags } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const seconds = flags.quick ? { load: 6, turn: 2 } : { load: 30, turn: 10 };
const machine = describeMachine();
const nice = getPriority();
const facts = { machine, nice, date: new Date().toISOString(), node: process.version, commit: describeCommit() };
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${facts.node}, commit ${facts.commit}`);
if (machine.load_before > 0.5) console.log(`others are at work on this machine (load ${machine.load_before})`);

const folder = mkdtempSync(`${tmpdir()}/headgate-generator-`);
console.log(`\nbeside what headgate model says of itself, ${seconds.load} s for each load\n`);
const model = [
  ...(await againstModel(NIM, seconds.load, folder)),
  ...(await againstModel(STRIX, seconds.load, folder)),
];
rmSync(folder, { recursive: true });
console.log(modelTable(model));
console.log(`beside autocannon, against a server that answers after 50 ms, 3 turns of ${seconds.turn} s\n`);
const autocannon = await againstAutocannon(CONNECTIONS, seconds.turn);
console.log(autocannonTable(autocannon));

const proof: Proof = { model, autocannon };
const missed = misses(proof);
for (const miss of missed) console.log(`missed: ${miss}`);
if (missed.length === 0) console.log("all within 3%");
if (flags.quick) console.log("not recorded: only a full run is");
else {
  const results = new URL("../results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  writeFileSync(
    new URL("generator.json", results),
    `${JSON.stringify({ ...facts, ...proof, missed }, undefined, 2)}\n`,
  );
  console.log("recorded in bench/results/generator.json");
}
process.exitCode = missed.length === 0 ? 0 : 1;
