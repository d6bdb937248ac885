import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { parseReport } from "../../src/lab/report/parse.ts";
import type { Report, Side } from "../../src/lab/report/types.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLI = join(ROOT, "dist/cli/index.js");

/** What one run of the lab said. */
export interface Proof {
  readonly command: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** One for each seed. */
  readonly reports: readonly Report[];
}

/** Compiles the command line as it is published. */
export function build(): void {
  execFileSync(process.execPath, [join(ROOT, "scripts/build.mjs")], { cwd: ROOT, stdio: "inherit" });
}

/** Runs `headgate load ARGS --assert` as its users do, and reads what it prints. */
export async function prove(args: readonly string[], seeds: readonly number[] = [1]): Promise<Proof> {
  const range = seeds.length === 1 ? [] : ["--seed", `${seeds[0]}-${seeds.at(-1)}`];
  const words = ["load", ...args, ...range, "--assert"];
  console.log(`$ headgate ${words.join(" ")}`);
  const startedAt = performance.now();
  const child = spawn(process.execPath, [CLI, ...words, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const pieces: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => pieces.push(piece));
  const [code] = (await once(child, "close")) as [number | null];
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`  ${code === 0 ? "passed" : "did not pass"} in ${seconds.toFixed(1)} s\n`);
  const printed: unknown = JSON.parse(Buffer.concat(pieces).toString());
  const reports = (Array.isArray(printed) ? printed : [printed]).map((value) => reportOf(value));
  return { command: `headgate ${words.join(" ")}`, passed: code === 0, seconds, reports };
}

function reportOf(value: unknown): Report {
  const result = parseReport(JSON.stringify(value));
  if (result.kind === "parsed") return result.report;
  throw new Error(JSON.stringify(result));
}

/** The figures of a side that are worth keeping. */
export function kept(side: Side): object {
  return {
    name: side.name,
    sent: side.total.sent,
    served: side.total.served,
    refused_by: side.total.refused_by,
    incomplete: side.total.incomplete,
    failed: side.total.failed,
    most_at_the_model: side.model?.max_concurrent ?? null,
    wedged: side.model?.wedged ?? null,
    failed_checks: side.checks.filter(({ ok }) => !ok),
    checks: side.checks.length,
    phases: Object.fromEntries(
      side.phases.map((phase) => [
        phase.name,
        {
          sent: phase.sent,
          served: phase.served,
          success: phase.success,
          floor: phase.floor,
          utilization: phase.utilization,
          fullest: phase.fullest,
          unevenness: phase.unevenness,
          ttft_p50_ms: phase.ttft_ms.p50,
          ttft_p99_ms: phase.ttft_ms.p99,
          model_ttft_ms: phase.model?.ttft_ms ?? null,
          model_itl_ms: phase.model?.itl_ms ?? null,
        },
      ]),
    ),
  };
}
