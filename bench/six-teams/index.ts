/* The article's deployment under twelve times its capacity, over real sockets. See bench/README.md. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";

import { parseDocument } from "yaml";

import { describeCommit, describeMachine } from "../report/machine.ts";
import { judge, lateness } from "./judge.ts";
import { type Extent, isSettled } from "./measured.ts";
import { build } from "./processes.ts";
import { figuresTable, findingsTable, refusals, servedTable, toResults } from "./report.ts";
import { measure } from "./run.ts";
import { readScenario } from "./scenario.ts";

const FULL: Extent = { alone: 20, flood: 90, settling: 30, window: 60 };
const QUICK: Extent = { alone: 8, flood: 32, settling: 22, window: 10 };

/** Where the generator is later than this (p99), others were at work on this machine, and first tokens at the client show it. */
const MOST_LATE_MS = 10;

/** What is judged. */
const PROMISED = fileURLToPath(new URL("headgate.yaml", import.meta.url));

const { values: flags } = parseArgs({
  options: { quick: { type: "boolean", default: false }, control: { type: "boolean", default: false } },
});
const extent = flags.quick ? QUICK : FULL;
const scenario = await readScenario(PROMISED);
const folder = mkdtempSync(`${tmpdir()}/headgate-six-teams-`);
const configPath = flags.control ? withoutReservations() : PROMISED;
const machine = describeMachine();
const commit = describeCommit();
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${process.version}, commit ${commit}`);
if (machine.load_before > 0.5) console.log(`others are at work on this machine (load ${machine.load_before})`);
console.log(
  `${extent.alone} s alone, then ${extent.flood} s of flood, judged in every stretch of ${extent.window} s\n`,
);

build();
const measured = await measure({ configPath, folder, scenario, extent });
const findings = judge(scenario, extent, measured);
const isGood = findings.every(({ ok }) => ok);
console.log(servedTable(scenario, extent, measured));
for (const [name, count] of Object.entries(refusals(measured))) console.log(`refused with ${name}: ${count}\n`);
console.log(figuresTable(extent, measured));
console.log(findingsTable(findings));
const late = lateness(measured.flood.visits.filter((visit) => isSettled(visit, extent)));
if (late > MOST_LATE_MS)
  console.log(`the generator was ${late.toFixed()} ms late: this machine was too busy to judge token times\n`);
if (isGood) rmSync(folder, { recursive: true });
else console.log(`what the gate and the model logged is in ${folder}`);

if (flags.quick || flags.control) console.log("not recorded: only a full run is");
else {
  const date = new Date().toISOString();
  const facts = { machine, nice: getPriority(), date, node: process.version, commit };
  const results = new URL("../results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  const text = JSON.stringify(toResults(facts, scenario, { extent, measured, findings }), undefined, 2);
  writeFileSync(new URL("six-teams.json", results), `${text}\n`);
  console.log("recorded in bench/results/six-teams.json");
}
process.exitCode = isGood ? 0 : 1;

/** The negative control: the gate runs without what is promised, and the judge must see it. */
function withoutReservations(): string {
  const document = parseDocument(readFileSync(PROMISED, "utf8"));
  document.deleteIn(["deployments", scenario.deployment, "reservations"]);
  const path = `${folder}/headgate.yaml`;
  writeFileSync(path, String(document));
  return path;
}
