import { OVERLOAD } from "./judge.ts";
import type { Extent, GateCounts, Measured } from "./measured.ts";
import { figuresOf, modelStats, resetModel, watchModel } from "./model-watch.ts";
import type { Sender } from "./plan.ts";
import { type Load, type Running, startHeadgate, startLoad } from "./processes.ts";
import { keyOf, type Scenario } from "./scenario.ts";

export interface RunOptions {
  readonly configPath: string;
  /** For logs. */
  readonly folder: string;
  readonly scenario: Scenario;
  readonly extent: Extent;
}

const PRESET = "nim-gpt-oss-20b";

/** The model and the gate as their users start them, and a load generator: three processes. */
export async function measure(options: RunOptions): Promise<Measured> {
  const { configPath, folder } = options;
  const running: { stop(): Promise<void> }[] = [];
  const keep = <Started extends { stop(): Promise<void> }>(started: Started): Started => {
    running.unshift(started);
    return started;
  };
  try {
    const model = keep(
      await startHeadgate(["model", "--preset", PRESET, "--port", "0"], /counts +curl (\S+)\/sim\/stats\n/, {
        logPath: `${folder}/model.log`,
      }),
    );
    const gate = keep(
      await startHeadgate(
        ["serve", "--config", configPath],
        /^headgate \S+ +(\S+)\n[^]*admin +curl (\S+)\/api\/v1\/status\n/,
        { logPath: `${folder}/gate.log`, env: { PROVE_BACKEND: model.urls[0] ?? "" } },
      ),
    );
    return await flood(options, { model, gate, load: keep(await startLoad()) });
  } finally {
    for (const started of running) await started.stop();
  }
}

interface Parties {
  readonly model: Running;
  readonly gate: Running;
  readonly load: Load;
}

async function flood({ scenario, extent }: RunOptions, { model, gate, load }: Parties): Promise<Measured> {
  const [modelUrl = ""] = model.urls;
  const [gateUrl = "", adminUrl = ""] = gate.urls;
  const one: Sender = { name: "alone", key: "none", perMinute: undefined, seed: 0 };
  const alone = await watchModel(modelUrl, () => load.run({ url: modelUrl, seconds: extent.alone, senders: [one] }));
  await resetModel(modelUrl);
  const { contenders, capacity } = scenario;
  const perMinute = (OVERLOAD * capacity) / contenders.length;
  const senders = contenders.map(({ name }, index) => ({ name, key: keyOf(name), perMinute, seed: index + 1 }));
  const run = await watchModel(modelUrl, () => load.run({ url: gateUrl, seconds: extent.flood, senders }));
  const settled = run.readings.filter(({ at }) => at >= extent.settling * 1_000 && at <= extent.flood * 1_000);
  return {
    alone: { visits: alone.value, model: figuresOf(alone.readings) },
    flood: { visits: run.value, model: figuresOf(settled) },
    stats: await modelStats(modelUrl),
    gate: await gateCounts(adminUrl),
  };
}

async function gateCounts(adminUrl: string): Promise<GateCounts> {
  return (await (await fetch(`${adminUrl}/api/v1/status`)).json()) as GateCounts;
}
