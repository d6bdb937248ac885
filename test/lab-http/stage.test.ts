import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/engine/clock.ts";
import { openDoor } from "../../src/lab/http/door.ts";
import { type Stage, type StageOptions, startStage } from "../../src/lab/stage/stage.ts";
import { askOnce, until } from "./kit.ts";

const KEY = "k-alice";
const HASH = createHash("sha256").update(KEY).digest("hex");

const gateText = (backend: string, more = ""): string => `
server: { port: 0 }
deployments:
  m: { backends: ["${backend}"], max_concurrent: 4${more} }
consumers:
  alice: { keys: ["sha256:${HASH}"] }
`;

/** Starts the real command line, and knows all that it started. */
function launcher() {
  const children: ChildProcess[] = [];
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  const launch = (args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, ["--import", "tsx", "src/cli/index.ts", ...args], { env });
    children.push(child);
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
  const left = (): number =>
    children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).length;
  return { children, launch, left };
}

function options(launch: StageOptions["launch"], some: Partial<StageOptions> = {}): StageOptions {
  const folder = mkdtempSync(join(tmpdir(), "headgate-stage-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return {
    launch,
    model: { preset: "instant", seed: 3 },
    speed: 10,
    gate: gateText,
    folder: join(folder, "run"),
    clock: systemClock,
    onDeath: () => {},
    ...some,
  };
}

async function ask(stage: Stage, key = KEY) {
  const door = await openDoor({ url: stage.url, key: KEY });
  const heard = await askOnce(door, { key });
  await door.close();
  return heard;
}

test("a gate and a model run, take edits and refuse bad ones, write logs, and are gone after the stop", async () => {
  const { children, launch, left } = launcher();
  const stageOptions = options(launch);
  const stage = await startStage(stageOptions);
  onTestFinished(() => stage.stop());
  expect(stage.url).not.toBe(stage.modelUrl);
  expect(stage.adminUrl).toBeUndefined();
  expect((await ask(stage)).ends[0]).toMatchObject({ kind: "complete", inputTokens: 20 });
  expect((await ask(stage, "another")).heads[0]).toMatchObject({ status: 401 });

  const strict = gateText(stage.modelUrl, ", limits: { requests_per_hour: 1 }");
  expect(await stage.applyGate(strict)).toMatchObject({
    kind: "applied",
    changed: expect.stringContaining("requests_per_hour none → 1"),
  });
  expect((await ask(stage)).heads[0]?.status).toBe(200);
  const refused = await ask(stage);
  expect(refused.heads[0]).toMatchObject({ status: 429, outcome: expect.stringMatching(/limit/) });
  expect(refused.heads[0]?.retryAfterMs).toBeGreaterThan(0);

  const bad = gateText(stage.modelUrl, ", max_concurent: 4, wrong: 1");
  const edit = await stage.applyGate(bad);
  expect(edit).toMatchObject({
    kind: "refused",
    problems: [expect.stringContaining("max_concurent"), expect.stringContaining("wrong")],
  });
  expect(await stage.applyGate(bad)).toEqual(edit);
  expect(await stage.applyGate(strict)).toEqual({ kind: "unchanged" });
  expect((await stage.applyGate(gateText(stage.modelUrl))).kind).toBe("applied");

  await stage.stop();
  expect({ started: children.length, left: left() }).toEqual({ started: 2, left: 0 });
  expect(readFileSync(join(stageOptions.folder, "serve.log"), "utf8")).toContain("SIGTERM: stopping");
  expect(readFileSync(join(stageOptions.folder, "model.log"), "utf8")).toContain("instant, simulated");
});

test("without a gate requests go to the model, and with a model that runs already only the gate is started", async () => {
  const { launch, left, children } = launcher();
  const bare = await startStage(options(launch, { gate: undefined }));
  onTestFinished(() => bare.stop());
  expect(bare.url).toBe(bare.modelUrl);
  await expect(bare.applyGate("")).rejects.toThrow("no gate");
  const withAdmin = (url: string): string => `${gateText(url)}admin: { port: 0 }\n`;
  const stage = await startStage(options(launch, { model: { url: bare.url }, gate: withAdmin }));
  onTestFinished(() => stage.stop());
  expect(children).toHaveLength(2);
  expect(stage.modelUrl).toBe(bare.url);
  expect((await fetch(`${stage.adminUrl}/healthz`)).status).toBe(200);
  expect((await ask(stage)).ends[0]).toMatchObject({ kind: "complete" });
  await stage.stop();
  await bare.stop();
  expect(left()).toBe(0);
});

test("nothing is left where the gate does not start, and its own words say why", async () => {
  const { children, launch, left } = launcher();
  const deaths: string[] = [];
  const bad = options(launch, { gate: (url) => gateText(url, ", wrong: 1"), onDeath: (why) => deaths.push(why) });
  await expect(startStage(bad)).rejects.toThrow(/the gate ended by itself \(code 2\); its last words: [^]*wrong/);
  expect({ started: children.length, left: left(), deaths }).toEqual({ started: 2, left: 0, deaths: [] });
});

test("nothing is left where a process cannot be started", async () => {
  const { launch, left } = launcher();
  const broken = (args: readonly string[]): ChildProcess =>
    args[0] === "serve" ? spawn("/nowhere/headgate", args) : launch(args);
  await expect(startStage(options(broken))).rejects.toThrow("the gate did not start: spawn /nowhere/headgate ENOENT");
  expect(left()).toBe(0);
});

test("a process that dies in the middle of a run is reported, and the others stop as ever", async () => {
  const { children, launch, left } = launcher();
  let report: (why: string) => void = () => {};
  const death = new Promise<string>((resolve) => (report = resolve));
  const stage = await startStage(options(launch, { onDeath: (why) => report(why) }));
  onTestFinished(() => stage.stop());
  children[0]?.kill("SIGKILL");
  expect(await death).toBe("the model ended by itself (SIGKILL)");
  expect(left()).toBe(1);
  await stage.stop();
  expect(left()).toBe(0);
});

test("nothing is left where the process that started it exits", async () => {
  const script = `
    import { spawn } from "node:child_process";
    import { systemClock } from "./src/engine/clock.ts";
    import { startStage } from "./src/lab/stage/stage.ts";
    const launch = (args) => spawn(process.execPath, ["--import", "tsx", "src/cli/index.ts", ...args]);
    process.on("SIGINT", () => process.exit(130));
    const folder = process.env.STAGE_FOLDER;
    const model = { preset: "instant", seed: 1 };
    const stage = await startStage({ launch, model, speed: 1, gate: undefined, folder, clock: systemClock, onDeath: () => {} });
    console.log("up at " + stage.url + ".");
  `;
  const folder = mkdtempSync(join(tmpdir(), "headgate-stage-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    env: { ...process.env, STAGE_FOLDER: folder },
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  let words = "";
  parent.stderr.on("data", (piece: Buffer) => (words += piece.toString()));
  await new Promise<void>((resolve, reject) => {
    parent.stdout.on("data", (piece: Buffer) => {
      words += piece.toString();
      if (words.includes(".\n")) resolve();
    });
    parent.once("exit", () => reject(new Error(words)));
  });
  const url = /up at (.*)\.\n/.exec(words)?.[1] ?? "";
  expect((await fetch(`${url}/health`)).status).toBe(200);
  parent.kill("SIGINT");
  await once(parent, "exit");
  await until(async () => !(await answers(url)));
});

function answers(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    () => true,
    () => false,
  );
}
