/** The file, the reloader and the admin listener together: real files, real sockets, a real SIGHUP. */
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { type ReloaderOptions, Reloader, readVersion, startReloading } from "../../src/cli/reload.ts";
import type { Config } from "../../src/config/types.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { errorOf, logTo, startAdmin, type TestAdmin } from "./admin-kit.ts";
import type { Answer } from "./support/raw-answer.ts";
import { turns, until } from "./support/raw-client.ts";

describe("a good file", () => {
  test("is applied as the next version, and what changed is said in words", async () => {
    const { reloader, save, applied, lines } = await start();
    save(fileWith(8));
    expect(await reloader.reload("admin")).toEqual({
      kind: "applied",
      version: 2,
      changed: ["seats 4 → 8"],
      needsRestart: [],
    });
    expect(applied.map(seatsOf)).toEqual([8]);
    expect(lines).toEqual(["info applied version 2: seats 4 → 8"]);
    expect(reloader.status()).toMatchObject({ version: 2, applied_by: "admin", needs_restart: [], rejected: null });
  });

  test("is dated, and has the hash of its content", async () => {
    const { reloader, save, clock } = await start();
    const before = reloader.status();
    expect(before).toMatchObject({ version: 1, applied_by: "start", applied_at: "2023-11-14T22:13:20.000Z" });
    clock.advance(60_000);
    save(fileWith(8));
    await reloader.reload("signal");
    const after = reloader.status();
    expect(after).toMatchObject({ version: 2, applied_by: "signal", applied_at: "2023-11-14T22:14:20.000Z" });
    expect(after.hash).toMatch(/^[0-9a-f]{12}$/);
    expect(after.hash).not.toBe(before.hash);
  });

  test("that runs already is not applied again, but what it names is read again if somebody asks", async () => {
    const { reloader, save, applied, refreshes, lines } = await start();
    save(fileWith(4));
    for (const trigger of ["file", "signal", "admin"] as const) {
      expect(await reloader.reload(trigger)).toEqual({ kind: "unchanged", version: 1, needsRestart: [] });
    }
    expect(applied).toEqual([]);
    expect(refreshes).toHaveLength(2);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["debug", "info", "info"]);
  });

  test("that differs in comments alone is another version, and says so", async () => {
    const { reloader, save, lines } = await start();
    save(`# ours\n${fileWith(4)}`);
    expect(await reloader.reload("file")).toMatchObject({ kind: "applied", version: 2, changed: [] });
    expect(lines).toEqual(["info applied version 2: nothing but comments or layout"]);
  });

  test("says what waits for a restart, and goes on saying it until the file no longer asks for it", async () => {
    const { reloader, save, lines } = await start();
    save(fileWith(4, 8082));
    expect(await reloader.reload("file")).toMatchObject({ needsRestart: ["server.port 8080 → 8082"] });
    expect(lines).toContain("warn waits for a restart: server.port 8080 → 8082");
    expect(reloader.status().needs_restart).toEqual(["server.port 8080 → 8082"]);
    expect(await reloader.reload("admin")).toMatchObject({
      kind: "unchanged",
      needsRestart: ["server.port 8080 → 8082"],
    });
    save(fileWith(4));
    await reloader.reload("file");
    expect(reloader.status().needs_restart).toEqual([]);
  });

  test("has its warnings logged", async () => {
    const { reloader, save, lines } = await start();
    save(fileWith(4).replace("127.0.0.1, port", "0.0.0.0, port"));
    expect(await reloader.reload("file")).toMatchObject({ kind: "applied" });
    expect(lines.filter((line) => line.startsWith("warn")).join()).toMatch(
      /headgate\.yaml:1:\d+ {2}server\.host {2}warning/,
    );
  });
});

describe("a bad file", () => {
  test("changes nothing, and the status says what is wrong and where", async () => {
    const { reloader, save, applied } = await start();
    save(fileWith("many"));
    expect(await reloader.reload("file")).toMatchObject({ kind: "rejected", version: 1 });
    expect(applied).toEqual([]);
    const { version, rejected } = reloader.status();
    expect(version).toBe(1);
    expect(rejected?.problems).toMatchObject([
      { severity: "error", line: 5, column: 21, path: "deployments.a.max_concurrent", received: '"many"' },
    ]);
  });

  test("is logged once for each content, with place and rule", async () => {
    const { reloader, save, lines, path } = await start();
    save(fileWith("many"));
    for (const trigger of ["file", "admin", "signal"] as const) await reloader.reload(trigger);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(`error ${path} is refused: version 1 runs on`);
    expect(lines[1]).toContain(`${path}:5:21  deployments.a.max_concurrent`);
    save(fileWith("more"));
    await reloader.reload("file");
    expect(lines).toHaveLength(4);
  });

  test("is forgotten once the file is good again, also where it is what it was", async () => {
    const { reloader, save, applied } = await start();
    save("deployments: [");
    await reloader.reload("file");
    save(fileWith(4));
    expect(await reloader.reload("file")).toMatchObject({ kind: "unchanged", version: 1 });
    expect(reloader.status().rejected).toBeNull();
    save("deployments: [");
    await reloader.reload("file");
    save(fileWith(8));
    expect(await reloader.reload("file")).toMatchObject({ kind: "applied", version: 2 });
    expect(reloader.status().rejected).toBeNull();
    expect(applied.map(seatsOf)).toEqual([8]);
  });

  test("is one that is gone, too", async () => {
    const { reloader, path } = await start();
    unlinkSync(path);
    expect(await reloader.reload("file")).toMatchObject({ kind: "rejected", problems: [{ rule: "does not exist" }] });
  });

  test("is one that the gate cannot run on, although every check passed", async () => {
    const { reloader, save, failNext } = await start();
    failNext(new RangeError("no room"));
    save(fileWith(8));
    expect(await reloader.reload("file")).toMatchObject({
      kind: "rejected",
      version: 1,
      problems: [{ rule: "could not be applied: no room" }],
    });
    expect(await reloader.reload("file")).toMatchObject({ kind: "applied", version: 2 });
  });

  test("shows no secret of its own", async () => {
    const { reloader, save, lines } = await start();
    save(`${fileWith("many")}    api_key: sk-1234567890abcdef\n`);
    await reloader.reload("file");
    expect(JSON.stringify([reloader.status(), lines])).not.toContain("1234567890abcdef");
  });
});

describe("reloads at the same time", () => {
  test("follow each other, and those that are not yet due are one", async () => {
    const { reloader, save, applied } = await start();
    save(fileWith(8));
    const results = await Promise.all(Array.from({ length: 100 }, () => reloader.reload("admin")));
    expect(results.map(({ version }) => version)).toEqual(results.map(() => 2));
    expect(results.filter(({ kind }) => kind === "applied")).toHaveLength(1);
    expect(new Set(results).size).toBe(2);
    expect(applied).toHaveLength(1);
  });

  test("each read the file after they were asked for", async () => {
    const { reloader, save, applied } = await start();
    for (let seats = 10; seats < 40; seats++) {
      save(fileWith(seats));
      const first = reloader.reload("file");
      save(fileWith(seats + 100));
      await Promise.all([first, reloader.reload("admin")]);
      expect(seatsOf(applied.at(-1))).toBe(seats + 100);
    }
  });

  test("go on after one that broke", async () => {
    const { options, save } = await start();
    let breaks = true;
    const describe = (): readonly string[] => {
      if (breaks) throw new Error("broken");
      return [];
    };
    const reloader = new Reloader({ ...options, describe });
    save(fileWith(8));
    await expect(reloader.reload("file")).rejects.toThrow("broken");
    breaks = false;
    expect(await reloader.reload("file")).toMatchObject({ kind: "applied", version: 2 });
  });
});

describe("over the admin listener", () => {
  test("a good file is 200 with what changed", async () => {
    const { save, reload, ask } = await startWithAdmin();
    save(fileWith(8, 8082));
    const answer = await reload();
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      version: 2,
      changed: ["seats 4 → 8"],
      needs_restart: ["server.port 8080 → 8082"],
    });
    const { configuration } = JSON.parse((await ask("GET /api/v1/status")).body);
    expect(configuration).toMatchObject({ version: 2, applied_by: "admin" });
  });

  test("an identical file is 200 with the version that runs", async () => {
    const { reload, applied } = await startWithAdmin();
    const answer = await reload();
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ version: 1, changed: [], needs_restart: [] });
    expect(applied).toEqual([]);
  });

  test("a bad file is 422 with every problem, and the old one runs on", async () => {
    const { save, reload, ask, applied } = await startWithAdmin();
    save(fileWith("many").replace("port: 8080", "prot: 8080"));
    const answer = await reload();
    expect(answer.status).toBe(422);
    expect(errorOf(answer)).toEqual({
      code: "invalid_configuration",
      message: "The file has mistakes. Version 1 runs on.",
    });
    const { version, problems } = JSON.parse(answer.body);
    expect(version).toBe(1);
    expect(problems).toMatchObject([
      { line: 1, path: "server.prot", hint: "did you mean port?" },
      { line: 5, path: "deployments.a.max_concurrent" },
    ]);
    const { configuration } = JSON.parse((await ask("GET /api/v1/status")).body);
    expect(configuration).toMatchObject({ version: 1, rejected: { problems } });
    expect(applied).toEqual([]);
  });

  test("many at once are all answered, and applied once", async () => {
    const { save, reload, applied } = await startWithAdmin();
    save(fileWith(8));
    const answers = await Promise.all(Array.from({ length: 50 }, () => reload()));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => (JSON.parse(body) as { version: number }).version))).toEqual(new Set([2]));
    expect(applied).toHaveLength(1);
  });
});

describe("by itself", () => {
  test("it reloads when the file is saved", async () => {
    const { options, reloader, save, pump } = await start();
    const reloading = startReloading(reloader, options);
    onTestFinished(() => reloading.close());
    save(fileWith(8));
    await pump(() => reloader.status().version === 2);
    expect(reloader.status()).toMatchObject({ applied_by: "file" });
  });

  test("it finds what was saved between the start and the watch", async () => {
    const { options, reloader, save, pump } = await start();
    save(fileWith(8));
    const reloading = startReloading(reloader, options);
    onTestFinished(() => reloading.close());
    await pump(() => reloader.status().version === 2);
  });

  test("it reloads on SIGHUP, until it is closed", async () => {
    const { options, reloader, save } = await start();
    const before = process.listenerCount("SIGHUP");
    const reloading = startReloading(reloader, options);
    expect(process.listenerCount("SIGHUP")).toBe(before + 1);
    save(fileWith(8));
    // No time passes, so that it is not the watch.
    process.kill(process.pid, "SIGHUP");
    await until(() => reloader.status().version === 2);
    expect(reloader.status()).toMatchObject({ applied_by: "signal" });
    reloading.close();
    expect(process.listenerCount("SIGHUP")).toBe(before);
  });

  test("a call of an operator and the watch that follows apply it once", async () => {
    const { options, reloader, save, applied, clock } = await start();
    const reloading = startReloading(reloader, options);
    onTestFinished(() => reloading.close());
    save(fileWith(8));
    await reloader.reload("admin");
    for (let round = 0; round < 40; round++) {
      await turns(10);
      clock.advance(50);
    }
    expect(applied).toHaveLength(1);
    expect(reloader.status()).toMatchObject({ version: 2, applied_by: "admin" });
  });
});

interface Started {
  readonly path: string;
  readonly options: ReloaderOptions;
  readonly reloader: Reloader;
  readonly clock: VirtualClock;
  readonly applied: readonly Config[];
  /** One for each time that what the file names was read again. */
  readonly refreshes: readonly string[];
  readonly lines: readonly string[];
  readonly save: (text: string) => void;
  readonly failNext: (error: Error) => void;
  /** Lets time pass until the condition holds. */
  readonly pump: (condition: () => boolean) => Promise<void>;
}

/** A reloader on a file with one deployment of four seats, on port 8080. */
async function start(): Promise<Started> {
  const directory = mkdtempSync(join(tmpdir(), "headgate-reload-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "headgate.yaml");
  const save = (text: string): void => writeFileSync(path, text);
  save(fileWith(4));
  const first = await readVersion(path, {});
  if (first.result.kind === "invalid") throw new Error("the file of the test is wrong");
  const clock = new VirtualClock();
  const applied: Config[] = [];
  const lines: string[] = [];
  let failure: Error | undefined;
  const refreshes: string[] = [];
  const options: ReloaderOptions = {
    path,
    env: {},
    clock,
    log: logTo(lines),
    config: first.result.config,
    hash: first.hash,
    describe: (old, next) => (seatsOf(old) === seatsOf(next) ? [] : [`seats ${seatsOf(old)} → ${seatsOf(next)}`]),
    refresh: () => void refreshes.push("asked"),
    apply: (next) => {
      const error = failure;
      failure = undefined;
      if (error !== undefined) throw error;
      applied.push(next);
      return next.server.port === 8080 ? [] : [`server.port 8080 → ${next.server.port}`];
    },
  };
  return {
    path,
    options,
    reloader: new Reloader(options),
    clock,
    applied,
    refreshes,
    lines,
    save,
    failNext: (error) => (failure = error),
    pump: async (condition) => {
      for (let round = 0; !condition(); round++) {
        if (round > 20_000) throw new Error("the condition never came to hold");
        await turns(10);
        clock.advance(50);
      }
    },
  };
}

async function startWithAdmin(): Promise<Started & { reload: () => Promise<Answer>; ask: TestAdmin["ask"] }> {
  const started = await start();
  const { ask } = await startAdmin({ source: { configuration: started.reloader } });
  const headers = ["Content-Type: application/json", "Content-Length: 0"];
  return { ...started, ask, reload: () => ask("POST /api/v1/reload", ...headers) };
}

function fileWith(seats: number | string, port = 8080): string {
  return [
    `server: { host: 127.0.0.1, port: ${port} }`,
    "deployments:",
    "  a:",
    "    backends: [http://127.0.0.1:8081]",
    `    max_concurrent: ${seats}`,
    "",
  ].join("\n");
}

function seatsOf(config: Config | undefined): number | undefined {
  return config?.deployments[0]?.maxConcurrent;
}
