/** What a new configuration does to counters, deficits and charges, in detail and on virtual time. */
import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import type { ConsumerConfig } from "../../src/config/index.ts";
import type { CapacityConfig } from "../../src/config/types.ts";
import type { Limits } from "../../src/core/policy/limits.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { answerOk, hold, sendJson, startBackend, type Visit } from "./support/raw-backend.ts";
import { errorOf, type RawClient, turns, until } from "./support/raw-client.ts";
import { CHAT, configOf, type DeploymentSetup, startGate, type TestGate } from "./support/raw-gate.ts";

const PATH = "/v1/chat/completions";

describe("a limit", () => {
  test("that is raised or lowered keeps what was used of it", async () => {
    const { apply, ask, limit } = await start({ limits: limits({ requests_per_minute: 60 }) });
    for (let count = 0; count < 6; count++) expect((await ask("ann")).status).toBe(200);
    expect(await limit("ann")).toEqual({ limit: 60, used: 6, left: 4 });
    apply({ limits: limits({ requests_per_minute: 120 }) });
    expect(await limit("ann")).toEqual({ limit: 120, used: 6, left: 14 });
    apply({ limits: limits({ requests_per_minute: 30 }) });
    expect(await limit("ann")).toEqual({ limit: 30, used: 6, left: 0 });
    const refused = await ask("ann");
    // A bucket of 5 fills by one every 2 s, and two of the six have to flow back first.
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "4"]);
  });

  test("that is strict keeps its log, also when it is counted in the other way and back", async () => {
    const { apply, ask, limit } = await start({ limits: limits({ requests_per_minute: 6 }, true) });
    for (let count = 0; count < 6; count++) expect((await ask("ann")).status).toBe(200);
    apply({ limits: limits({ requests_per_minute: 8 }, true) });
    expect(await limit("ann")).toEqual({ limit: 8, used: 6, left: 2 });
    apply({ limits: limits({ requests_per_minute: 8 }, false) });
    expect(await limit("ann")).toEqual({ limit: 8, used: 6, left: 0 });
    apply({ limits: limits({ requests_per_minute: 6 }, true) });
    expect((await ask("ann")).status).toBe(429);
  });

  test("that was reached stays so over any number of reloads, and opens when it would have", async () => {
    const { apply, ask, clock } = await start({ limits: limits({ requests_per_minute: 6 }) });
    expect((await ask("ann")).status).toBe(200);
    for (let second = 0; second < 10; second++) {
      expect((await ask("ann")).status).toBe(429);
      clock.advance(999);
      apply({ limits: limits({ requests_per_minute: 6 }), maxConcurrent: 1 + (second % 3) });
    }
    expect((await ask("ann")).status).toBe(429);
    clock.advance(10);
    expect((await ask("ann")).status).toBe(200);
  });

  test("that is new counts from now on, and answers that began before do not take it back", async () => {
    const held: Visit[] = [];
    const { apply, begin, ask, limit } = await start({ limits: limits({ requests_per_minute: 600 }) }, (visit, index) =>
      index === 0 ? held.push(visit) : answerOk(visit, index),
    );
    const slow = await begin("ann");
    await until(() => held.length === 1);
    apply({ limits: limits({ requests_per_minute: 600, requests_per_hour: 60 }) });
    for (let count = 0; count < 5; count++) await ask("ann");
    expect(await limit("ann", "requests_per_hour")).toEqual({ limit: 60, used: 5, left: 5 });
    for (const { response } of held) sendJson(response, 200, {});
    expect((await slow.answer()).status).toBe(200);
    expect(await limit("ann", "requests_per_hour")).toEqual({ limit: 60, used: 5, left: 5 });
  });

  test("of 0 blocks from now on, and another value lets in again", async () => {
    const { apply, ask } = await start({ limits: limits({ requests_per_minute: 60 }) });
    expect((await ask("ann")).status).toBe(200);
    apply({
      limits: limits({ requests_per_minute: 60 }),
      exceptions: new Map([["ann", limits({ requests_per_day: 0 })]]),
    });
    expect([(await ask("ann")).status, (await ask("bob")).status]).toEqual([429, 200]);
    apply({ limits: limits({ requests_per_minute: 60 }) });
    expect((await ask("ann")).status).toBe(200);
  });
});

describe("limits of a deployment", () => {
  test("that had none leave those alone who are in, and count whoever comes", async () => {
    const { apply, ask, begin, gate, visits } = await start({}, hold);
    const before = await begin("ann");
    await until(() => visits().length === 1);
    apply({ limits: limits({ concurrent_requests: 1 }) });
    const after = await begin("ann");
    await until(() => visits().length === 2);
    expect(errorOf(await ask("ann")).code).toBe("concurrency_limit_exceeded");
    for (const { response } of visits()) sendJson(response, 200, {});
    for (const client of [before, after]) expect((await client.answer()).status).toBe(200);
    await until(() => gate.gateway.stats().in_flight === 0);
    const last = await begin("ann");
    await until(() => visits().length === 3);
    for (const { response } of visits().slice(2)) sendJson(response, 200, {});
    expect((await last.answer()).status).toBe(200);
  });

  test("that are taken away let everybody in, and what is charged still ends well", async () => {
    const { apply, ask, begin, gate, visits } = await start({ limits: limits({ concurrent_requests: 1 }) }, hold);
    const first = await begin("ann");
    await until(() => visits().length === 1);
    expect((await ask("ann")).status).toBe(429);
    apply({});
    const second = await begin("ann");
    await until(() => visits().length === 2);
    apply({ limits: limits({ concurrent_requests: 2 }) });
    // Nothing of the two was forgotten while there was no limit.
    expect(errorOf(await ask("ann")).code).toBe("concurrency_limit_exceeded");
    for (const { response } of visits()) sendJson(response, 200, {});
    for (const client of [first, second]) expect((await client.answer()).status).toBe(200);
    await until(() => gate.gateway.stats().in_flight === 0);
    expect(gate.gateway.stats().deployments["d"]).toMatchObject({ late_settlements: 0 });
  });
});

describe("a consumer", () => {
  test("that is renamed is a new one, and its key stays", async () => {
    const { apply, ask } = await start({ limits: limits({ requests_per_minute: 6 }) });
    expect([(await ask("ann")).status, (await ask("ann")).status]).toEqual([200, 429]);
    const renamed = { ...consumer("ann"), name: "anna" };
    apply({ limits: limits({ requests_per_minute: 6 }) }, [renamed, consumer("bob")]);
    expect([(await ask("ann")).status, (await ask("ann")).status]).toEqual([200, 429]);
    apply({ limits: limits({ requests_per_minute: 6 }) });
    expect((await ask("ann")).status).toBe(429);
  });

  test("that is gone has its last request charged to it and to nobody else", async () => {
    const setup = { limits: limits({ tokens_per_hour: 6_000 }) };
    const { apply, begin, gate, limit, visits } = await start(setup, hold);
    const client = await begin("ann");
    await until(() => visits().length === 1);
    apply(setup, [consumer("bob")]);
    expect(gate.gateway.stats().in_flight).toBe(1);
    const usage = { prompt_tokens: 40, completion_tokens: 60, total_tokens: 100 };
    for (const { response } of visits()) sendJson(response, 200, { choices: [], usage });
    expect((await client.answer()).status).toBe(200);
    await until(() => gate.gateway.stats().in_flight === 0);
    apply(setup);
    expect(await limit("ann")).toMatchObject({ used: 100 });
    expect(await limit("bob")).toMatchObject({ used: 0 });
  });

  test("that moves to another group while its request arrives has the limits of the new one", async () => {
    const group = (name: string): ConsumerConfig => ({ ...consumer(name), kind: "group", keys: [] });
    const member = (of: string): readonly ConsumerConfig[] => [
      group("small"),
      group("large"),
      { ...consumer("ann"), groups: [of] },
    ];
    const setup = {
      exceptions: new Map([
        ["small", limits({ requests_per_minute: 6 })],
        ["large", limits({ requests_per_minute: 600 })],
      ]),
    };
    const { apply, ask, gate, limit } = await start(setup, answerOk, member("small"));
    const slow = await gate.connect();
    const body = JSON.stringify(CHAT);
    slow.head(
      `POST ${PATH} HTTP/1.1`,
      "Host: gate",
      "Authorization: Bearer key of ann",
      `Content-Length: ${body.length}`,
    );
    await until(() => gate.gateway.stats().open === 1);
    apply(setup, member("large"));
    slow.send(body);
    expect((await slow.answer()).status).toBe(200);
    expect((await ask("ann")).status).toBe(200);
    expect(await limit("ann")).toMatchObject({ limit: 600, used: 2 });
  });
});

describe("shares", () => {
  test("keep their deficits in requests when the capacity changes", async () => {
    const reservations = new Map([["ann", 0.5]]);
    const { apply, ask, gate } = await start({ capacity: capacity(600), reservations });
    const share = (): unknown => gate.gateway.consumer("ann")?.deployments["d"]?.share?.requests;
    for (let count = 0; count < 10; count++) await ask("ann");
    expect(share()).toMatchObject({ floor_per_minute: 300, available: 10, burst: 20 });
    apply({ capacity: capacity(1_200), reservations });
    expect(share()).toMatchObject({ floor_per_minute: 600, available: 30, burst: 40 });
    apply({ capacity: capacity(300), reservations });
    expect(share()).toMatchObject({ floor_per_minute: 150, available: 0, burst: 10 });
  });

  test("keep their deficits when the reservations change", async () => {
    const { apply, ask, gate } = await start({ capacity: capacity(600), reservations: new Map([["ann", 0.5]]) });
    const available = (name: string): number | undefined =>
      gate.gateway.consumer(name)?.deployments["d"]?.share?.requests?.available;
    for (let count = 0; count < 10; count++) await ask("ann");
    for (let count = 0; count < 4; count++) await ask("bob");
    apply({
      capacity: capacity(600),
      reservations: new Map([
        ["ann", 0.25],
        ["bob", 0.25],
      ]),
    });
    expect(available("ann")).toBe(0);
    expect(available("bob")).toBe(10);
  });

  test("that are gone leave no request behind that waits for them", async () => {
    const held: Visit[] = [];
    const without: Setup = { capacity: capacity(60), mode: "queue", limits: limits({ requests_per_minute: 600 }) };
    const setup: Setup = { ...without, reservations: new Map([["ann", 0.5]]) };
    const { apply, begin, clock } = await start(setup, (visit, index) =>
      index === 0 ? held.push(visit) : answerOk(visit, index),
    );
    const clients = [await begin("ann")];
    await until(() => held.length === 1);
    apply(without);
    for (let count = 0; count < 11; count++) clients.push(await begin("ann"));
    await turns();
    // Its headers name what is left of limits that held when it came, and of a share that is gone.
    for (const { response } of held) sendJson(response, 200, {});
    await clients[0]?.answer();
    for (let second = 0; second < 40; second++) {
      clock.advance(1_000);
      await turns(10);
    }
    await until(() => clients.every((client) => client.answers.length === 1));
    expect(clients.map((client) => client.answers[0]?.status)).toEqual(clients.map(() => 200));
  });

  test("let in at once who waits when the capacity is taken away", async () => {
    const { apply, begin, clock, visits } = await start({ capacity: capacity(60), mode: "queue" });
    const clients = await Promise.all(Array.from({ length: 12 }, () => begin("ann")));
    await until(() => visits().length > 0);
    await turns();
    expect(visits().length).toBeLessThan(12);
    apply({ mode: "queue" });
    clock.advance(0);
    await until(() => clients.every((client) => client.answers.length === 1));
    expect(clients.map((client) => client.answers[0]?.status)).toEqual(clients.map(() => 200));
  });

  test("refuse whoever waits for one when its deployment is removed, and let end who is in", async () => {
    const backend = await startBackend(hold);
    const { gate, begin, visits } = await start({ capacity: capacity(60), mode: "queue" }, hold);
    const clients = await Promise.all(Array.from({ length: 12 }, () => begin("ann")));
    await until(() => visits().length > 0);
    await turns();
    const inside = visits().length;
    gate.gateway.reconfigure(configOf({ consumers: TWO, deployments: [{ name: "other", backends: [backend.port] }] }));
    await until(() => clients.filter((client) => client.answers.length === 1).length === 12 - inside);
    const refused = clients.flatMap((client) => client.answers);
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 503));
    expect(new Set(refused.map(({ headers }) => headers.get("x-headgate-outcome")))).toEqual(new Set(["draining"]));
    for (const { response } of visits()) sendJson(response, 200, {});
    await until(() => clients.every((client) => client.answers.length === 1));
    expect(clients.filter((client) => client.answers[0]?.status === 200)).toHaveLength(inside);
  });
});

const TWO: readonly ConsumerConfig[] = [consumer("ann"), consumer("bob")];

type Setup = Partial<Omit<DeploymentSetup, "backends">>;
type Answered = Awaited<ReturnType<RawClient["answer"]>>;

interface Started {
  readonly gate: TestGate;
  readonly clock: VirtualClock;
  readonly visits: () => readonly Visit[];
  /** Puts other settings of the deployment in force, and other consumers if there are. */
  readonly apply: (setup: Setup, consumers?: readonly ConsumerConfig[]) => void;
  readonly begin: (name: string) => Promise<RawClient>;
  readonly ask: (name: string) => Promise<Answered>;
  /** What the caller is told of its first limit, or of that one. */
  readonly limit: (name: string, of?: string) => Promise<unknown>;
}

/** A gate with deployment `d` for ann and bob, where no time passes by itself. */
async function start(setup: Setup, script = answerOk, consumers = TWO): Promise<Started> {
  const backend = await startBackend(script);
  const clock = new VirtualClock();
  const deployment = (more: Setup): DeploymentSetup => ({
    name: "d",
    maxConcurrent: 50,
    ...more,
    backends: [backend.port],
  });
  const gate = await startGate({ consumers, clock, deployments: [deployment(setup)] });
  const begin: Started["begin"] = async (name) =>
    (await gate.connect()).post(PATH, CHAT, `Authorization: Bearer key of ${name}`);
  return {
    gate,
    clock,
    visits: () => backend.visits,
    apply: (next, others = consumers) =>
      gate.gateway.reconfigure(configOf({ consumers: others, deployments: [deployment(next)] })),
    begin,
    ask: async (name) => (await begin(name)).answer(),
    limit: async (name, of) => {
      const client = (await gate.connect()).get("/proxy/stats", `Authorization: Bearer key of ${name}`);
      const { deployments } = JSON.parse((await client.answer()).body) as OwnStats;
      const rows = deployments["d"]?.limits ?? [];
      const row = of === undefined ? rows[0] : rows.find((each) => each.name === of);
      return row && { limit: row.limit, used: row.used, left: row.left };
    },
  };
}

interface OwnStats {
  readonly deployments: Readonly<
    Record<string, { readonly limits: readonly { name: string; limit: number; used: number; left: number }[] }>
  >;
}

function consumer(name: string): ConsumerConfig {
  const sha256 = createHash("sha256").update(`key of ${name}`).digest("hex");
  return { name, kind: "user", enabled: true, groups: [], keys: [{ sha256 }] };
}

function limits(values: Limits["values"], strict?: boolean): Limits {
  return { values, strict };
}

function capacity(requestsPerMinute: number): CapacityConfig {
  return { requestsPerMinute, tokensPerMinute: undefined, utilizationThreshold: 0.5, burstSeconds: 4, meterSeconds: 0 };
}
