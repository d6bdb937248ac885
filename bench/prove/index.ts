/* What the lab shows of the gate, as its users would run it. See bench/README.md. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

import { parseDocument } from "yaml";

import { describeCommit, describeMachine } from "../report/machine.ts";
import { build, kept, type Proof, prove } from "./proof.ts";

const SCENARIOS = fileURLToPath(new URL("../../scenarios/", import.meta.url));
/** The phase of 12 times the capacity. */
const EXTREME = 3;
const TEN_SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);

const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.cores} cores, Node ${process.version}, commit ${describeCommit()}`);
if (machine.load_before > 0.5) console.log(`others are at work on this machine (load ${machine.load_before})`);
build();

const virtual = await prove(["shared-deployment", "--virtual"], TEN_SEEDS);
const overHttp = await prove(["shared-deployment", "--speed", "4"]);
const fragile = await prove(["fragile-gpu", "--no-gate"]);
const flood = await prove(["twenty-times"]);
const control = await proveUnfair();

const proofs = {
  virtual_ten_seeds: virtual,
  shared_deployment_http: overHttp,
  fragile_gpu: fragile,
  twenty_times: flood,
};
const isGood = Object.values(proofs).every(({ passed }) => passed) && !control.passed;
const results = {
  machine,
  date: new Date().toISOString(),
  node: process.version,
  commit: describeCommit(),
  ok: isGood,
  ...Object.fromEntries(Object.entries(proofs).map(([name, proof]) => [name, recorded(proof)])),
  without_reservations_must_fail: recorded(control),
};
mkdirSync(new URL("../results/", import.meta.url), { recursive: true });
writeFileSync(new URL("../results/load.json", import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`);
console.log(isGood ? "all held, and the control failed as it must" : "something did not hold");
console.log("recorded in bench/results/load.json");
process.exitCode = isGood ? 0 : 1;

/** The negative control: the gate without its reservations, held to the same assertions. */
async function proveUnfair(): Promise<Proof> {
  const folder = mkdtempSync(`${tmpdir()}/headgate-unfair-`);
  try {
    const document = parseDocument(readFileSync(`${SCENARIOS}shared-deployment.yaml`, "utf8"));
    document.deleteIn(["gate", "deployments", "gpt-oss-20b", "reservations"]);
    // What is asserted of floors goes by the configuration; this goes by what was promised: 300 a minute for three minutes.
    for (const [index] of parsePhases(document.toJS()).entries()) document.deleteIn(["phases", index, "assert"]);
    document.setIn(["phases", EXTREME, "assert"], { consumers: { "agent-a": { served: "at least 890" } } });
    document.deleteIn(["assert"]);
    writeFileSync(`${folder}/unfair.yaml`, String(document));
    return await prove([`${folder}/unfair.yaml`, "--virtual"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function parsePhases(scenario: unknown): readonly unknown[] {
  const phases: unknown = scenario instanceof Object && "phases" in scenario ? scenario.phases : undefined;
  return Array.isArray(phases) ? phases : [];
}

function recorded({ command, passed, seconds, reports }: Proof): object {
  return {
    command,
    passed,
    seconds: Math.round(seconds * 10) / 10,
    runs: reports.map(({ scenario, validity, generator, sides }) => ({
      seed: scenario.seed,
      speed: scenario.speed,
      validity,
      send_lag_p99_ms: generator.send_lag_ms.p99,
      loop_lag_p99_ms: generator.loop_lag_ms.p99,
      sides: sides.map(kept),
    })),
  };
}
