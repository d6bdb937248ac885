/** The file, the admin listener and reloads, through the real process in front of a simulated model. */
import { createConnection } from "node:net";

import { describe, expect, test } from "vitest";

import { answerOk, sendJson, startBackend, type Visit } from "../gateway/support/raw-backend.ts";
import { until } from "../gateway/support/raw-client.ts";
import {
  Client,
  type ConfigFile,
  configFile,
  freePort,
  type Gate,
  keyOf,
  keysLine,
  serve,
  startGate,
  startModel,
  takenPort,
} from "./serve-file-kit.ts";

interface Status {
  readonly state: string;
  readonly configuration: {
    readonly version: number;
    readonly applied_by: string;
    readonly needs_restart: readonly string[];
    readonly rejected: { readonly problems: readonly { line: number; rule: string }[] } | null;
  };
}

describe("a gate that runs on a file", () => {
  test("lets in by key, and shows operators what it does", async () => {
    const { gate, client } = await start();
    expect((await client.chat(gate, "alice")).status).toBe(200);
    expect((await client.chat(gate, "nobody")).status).toBe(401);
    expect((await client.chat(gate, "intern")).status).toBe(200);
    expect(await client.json(`${gate.admin}/api/v1/status`)).toMatchObject({
      state: "serving",
      admitted: 2,
      configuration: { version: 1, applied_by: "start", needs_restart: [], rejected: null },
    });
    expect(await client.json(`${gate.admin}/api/v1/consumers/intern`)).toMatchObject({
      groups: ["research"],
      admitted: 1,
      deployments: {
        tiny: {
          limits: [
            { name: "concurrent_requests", value: 10, source: { kind: "default" } },
            {
              name: "requests_per_hour",
              value: 60,
              used: 1,
              source: { kind: "exception", of: "group", name: "research" },
            },
          ],
        },
      },
    });
    const unknown = await client.send("GET", `${gate.admin}/api/v1/consumers/intren`);
    expect([unknown.status, unknown.text]).toEqual([404, expect.stringContaining("intern")]);
    expect(await client.json(`${gate.url}/proxy/stats`, keyOf("intern"))).toMatchObject({ consumer: "intern" });
  });

  test("applies it when it is saved, in place and by rename, and keeps what was used", async () => {
    const { gate, client, file, text } = await start();
    for (let count = 0; count < 3; count++) await client.chat(gate, "intern");
    file.save(text.replace("requests_per_hour: 60", "requests_per_hour: 120"));
    await gate.said("applied version 2: tiny: requests_per_hour of research 60 → 120");
    expect(await limitOf(client, gate)).toMatchObject({ value: 120, used: 3 });
    file.replace(text.replace("requests_per_hour: 60", "requests_per_hour: 30"));
    await gate.said("applied version 3: tiny: requests_per_hour of research 120 → 30");
    expect(await limitOf(client, gate)).toMatchObject({ value: 30, used: 3, left: 2 });
    expect((await statusOf(client, gate)).configuration).toMatchObject({ version: 3, applied_by: "file" });
  });

  test("refuses a broken one, says where, runs on with the old one, and takes the next good one", async () => {
    const { gate, client, file, text } = await start();
    file.save(text.replace("max_concurrent: 4", "max_concurrent: four"));
    await gate.said("is refused: version 1 runs on");
    const { configuration } = await statusOf(client, gate);
    expect(configuration).toMatchObject({ version: 1, rejected: { problems: [{ severity: "error", line: 6 }] } });
    expect((await client.chat(gate, "alice")).status).toBe(200);
    file.replace("deployments: [");
    await gate.said("is refused: version 1 runs on", 2);
    expect((await client.chat(gate, "alice")).status).toBe(200);
    file.save(text);
    await gate.said("is again version 1, which runs");
    expect((await statusOf(client, gate)).configuration).toMatchObject({ version: 1, rejected: null });
    file.save(text.replace("max_concurrent: 4", "max_concurrent: 5"));
    await gate.said("applied version 2: tiny: max_concurrent 4 → 5");
  });

  test("applies it on SIGHUP and when an operator asks", async () => {
    const { gate, client, file, text } = await start();
    gate.signal("SIGHUP");
    await gate.said("is unchanged: version 1 runs on");
    file.save(text.replace("max_concurrent: 4", "max_concurrent: 5"));
    gate.signal("SIGHUP");
    await gate.said("applied version 2");
    file.save(text.replace("max_concurrent: 4", "max_concurrent: 6"));
    const applied = await client.send("POST", `${gate.admin}/api/v1/reload`);
    expect([applied.status, JSON.parse(applied.text)]).toEqual([
      200,
      { version: 3, changed: ["tiny: max_concurrent 5 → 6"], needs_restart: [] },
    ]);
    file.save("deployments: [");
    const refused = await client.send("POST", `${gate.admin}/api/v1/reload`);
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([422, { version: 3 }]);
    expect((await client.chat(gate, "alice")).status).toBe(200);
  });

  test("says what waits for a restart, and applies the rest", async () => {
    const { gate, client, file, text } = await start();
    file.save(text.replace("server: { port: 0", "server: { port: 9").replace("max_concurrent: 4", "max_concurrent: 5"));
    await gate.said("waits for a restart: server.port 0 → 9");
    const { configuration } = await statusOf(client, gate);
    expect(configuration.needs_restart).toEqual(["server.port 0 → 9"]);
    expect((await client.chat(gate, "alice")).status).toBe(200);
    file.save(text);
    await gate.said("applied version 3");
    expect((await statusOf(client, gate)).configuration.needs_restart).toEqual([]);
  });

  test("takes in a consumer that is new, and shuts out one that is gone", async () => {
    const { gate, client, file, text } = await start();
    expect((await client.chat(gate, "carol")).status).toBe(401);
    file.save(text.replace(consumerLine("alice"), consumerLine("carol")));
    await gate.said("applied version 2");
    expect((await client.chat(gate, "carol")).status).toBe(200);
    expect((await client.chat(gate, "alice")).status).toBe(401);
  });
});

describe("a gate that is told to stop", () => {
  test("lets end what runs, answers operators until then, applies nothing more, and ends with 0", async () => {
    const backend = await startBackend((visit, index) => {
      if (visit.request.method === "GET") answerOk(visit, index);
    });
    const isAsked = (visit: Visit): boolean => visit.request.method === "POST";
    const text = configText(backend.port);
    const { gate, client, file } = await start(text);
    const running = new Client().chat(gate, "alice");
    await until(() => backend.visits.some(isAsked));
    await statusOf(client, gate);
    gate.signal("SIGTERM");
    await gate.said("SIGTERM: stopping");
    expect((await statusOf(client, gate)).state).toBe("draining");
    gate.signal("SIGHUP");
    file.save(text.replace("max_concurrent: 4", "max_concurrent: 5"));
    const late = await client.send("POST", `${gate.admin}/api/v1/reload`);
    expect([late.status, late.text]).toEqual([422, expect.stringContaining("the gate is shutting down")]);
    for (const { response } of backend.visits.filter(isAsked)) sendJson(response, 200, { choices: [] });
    expect((await running).status).toBe(200);
    const { code, stderr } = await gate.ended;
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("applied version 2")]);
  });
});

describe("a gate that cannot listen", () => {
  test("for operators says so in one line, ends with 1, and serves nobody", async () => {
    const [taken, port] = [await takenPort(), await freePort()];
    const text = configText(1).replace("server: { port: 0", `server: { port: ${port}`);
    const gate = startGate(configFile(text.replace("admin: { port: 0", `admin: { port: ${taken}`)));
    const { code, stdout, stderr } = await gate.ended;
    expect([code, stdout, lastLine(stderr)]).toEqual([
      1,
      "",
      `headgate: 127.0.0.1:${taken} is taken by another program; choose another with admin.port, or 0 for any`,
    ]);
    expect(await answers(port)).toBe(false);
  });

  test("for clients says so in one line, ends with 1, and leaves no admin listener behind", async () => {
    const [taken, port] = [await takenPort(), await freePort()];
    const text = configText(1).replace("server: { port: 0", `server: { port: ${taken}`);
    const gate = startGate(configFile(text.replace("admin: { port: 0", `admin: { port: ${port}`)));
    const { code, stdout, stderr } = await gate.ended;
    expect([code, stdout, lastLine(stderr)]).toEqual([
      1,
      "",
      `headgate: 127.0.0.1:${taken} is taken by another program; choose another with server.port, or 0 for any`,
    ]);
    expect(await answers(port)).toBe(false);
  });
});

interface Started {
  readonly gate: Gate;
  readonly client: Client;
  readonly file: ConfigFile;
  readonly text: string;
}

async function start(given?: string): Promise<Started> {
  const text = given ?? configText((await startModel()).port);
  const file = configFile(text);
  return { gate: await serve(file), client: new Client(), file, text };
}

function configText(backendPort: number): string {
  return [
    "server: { port: 0, host: 127.0.0.1 }",
    "admin: { port: 0 }",
    "deployments:",
    "  tiny:",
    `    backends: [http://127.0.0.1:${backendPort}]`,
    "    max_concurrent: 4",
    "    limits: { concurrent_requests: 10 }",
    "    exceptions: { research: { requests_per_hour: 60 } }",
    "consumers:",
    consumerLine("alice"),
    "  research: { kind: group }",
    `  intern: { groups: [research], ${keysLine("intern")} }`,
    "",
  ].join("\n");
}

function consumerLine(name: string): string {
  return `  ${name}: { ${keysLine(name)} }`;
}

async function statusOf(client: Client, gate: Gate): Promise<Status> {
  return (await client.json(`${gate.admin}/api/v1/status`)) as Status;
}

/** The rate limit of the intern. */
async function limitOf(client: Client, gate: Gate): Promise<unknown> {
  const report = (await client.json(`${gate.admin}/api/v1/consumers/intern`)) as {
    deployments: Record<string, { limits: readonly { name: string }[] }>;
  };
  return report.deployments["tiny"]?.limits.find(({ name }) => name === "requests_per_hour");
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
