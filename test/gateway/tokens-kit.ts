/** Requests through a gate that counts tokens, each held against the model's own count. */
import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";

import type { BackendConfig, ConsumerConfig } from "../../src/config/index.ts";
import type { Random } from "../../src/core/random.ts";
import type { Tokens } from "../../src/core/units.ts";
import type { Gateway } from "../../src/gateway/index.ts";
import { reportsOnlyIfAsked } from "../../src/gateway/usage/with-usage.ts";
import { createModelServer, type ModelServer } from "../../src/lab/model/server.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { turns, until } from "./support/raw-client.ts";
import { startGate } from "./support/raw-gate.ts";
import { bodyOf, type Path } from "./usage-exchange.ts";

/** One request. */
export interface Errand {
  readonly path: Path;
  readonly body: object;
  /** The client leaves once the model has generated so many tokens; `undefined` to stay. */
  readonly leaveAt: Tokens | undefined;
  /** Tokens that the model goes on to generate before it can know of that. */
  readonly lag: Tokens;
}

/** Input and output, as somebody counts them. */
interface Count {
  readonly input: Tokens;
  readonly output: Tokens;
}

/** What came of an errand that was run alone. */
export interface Receipt {
  readonly charged: Count;
  /** By the model itself. */
  readonly generated: Count;
  /** The body that the client saw, byte for byte. */
  readonly seen: string;
  /** Whether the client left before the end. */
  readonly left: boolean;
}

/**
 * A gate in front of a simulated model, and consumers that are numbered. Time stands still at the gate, so that nothing
 * that was charged drains away, and moves on at the model as the test says.
 */
interface Counter {
  readonly gateway: Gateway;
  readonly model: ModelServer;
  /** Runs an errand while nothing else runs. */
  run(errand: Errand, consumer: number): Promise<Receipt>;
  /** Runs errands at once, each for the consumer of its place. None of them leaves. */
  runTogether(errands: readonly Errand[], firstConsumer: number): Promise<void>;
  /** All that this consumer was ever charged. */
  chargedTo(consumer: number): Count;
}

/** A step of the model, and a little more: the time that a token takes. */
const STEP_MS = 20;

const LIMITS = { tokens_per_day: 1e12, input_tokens_per_day: 1e12, output_tokens_per_day: 1e12 };

export async function startCounter(consumers: number, backend: Partial<BackendConfig> = {}): Promise<Counter> {
  const clock = new VirtualClock();
  const model = createModelServer({ preset: "nim-gpt-oss-20b", clock });
  const deployment = { backends: [{ port: await model.listen(), ...backend }], maxConcurrent: 64 };
  const { gateway, port } = await startGate({
    clock: new VirtualClock(),
    consumers: Array.from({ length: consumers }, (_, index) => consumerOf(index)),
    deployments: [{ ...deployment, limits: { values: LIMITS, strict: undefined } }],
  });
  const chargedTo = (consumer: number): Count => chargesOf(gateway, consumer);
  const idle = (): Promise<void> => until(() => model.stats().concurrent + gateway.stats().open === 0);

  async function run(errand: Errand, consumer: number): Promise<Receipt> {
    const [before, paid] = [model.stats(), chargedTo(consumer)];
    const generated = (): Tokens => model.stats().tokens_out - before.tokens_out;
    const visit = visitAs(consumer, errand, port);
    await until(() => model.stats().concurrent === 1 || visit.isOver());
    const { leaveAt = Infinity, lag } = errand;
    while (!visit.isOver() && generated() < leaveAt) {
      clock.advance(STEP_MS);
      await turns(3);
    }
    const left = !visit.isOver();
    visit.leave();
    clock.advance(lag * STEP_MS);
    // Drained, it goes on for nobody.
    if (backend.onClientDisconnect === "drain") clock.advance(1_000 * STEP_MS);
    await idle();
    const [after, owed] = [model.stats(), chargedTo(consumer)];
    return {
      charged: { input: owed.input - paid.input, output: owed.output - paid.output },
      generated: { input: after.tokens_in - before.tokens_in, output: generated() },
      seen: visit.seen(),
      left,
    };
  }

  async function runTogether(errands: readonly Errand[], firstConsumer: number): Promise<void> {
    const visits = errands.map((errand, place) => visitAs(firstConsumer + place, errand, port));
    await until(() => model.stats().concurrent === errands.length);
    while (visits.some((visit) => !visit.isOver())) {
      clock.advance(STEP_MS);
      await turns(1);
    }
    await idle();
  }

  return { gateway, model, run, runTogether, chargedTo };
}

/** Draws a request of this path, of which some set no bound on their output. Two in five may leave early. */
export function drawErrand(random: Random, path: Path): Errand {
  const prompt = `Tell ${Math.floor(1e6 * random())} about water. `.repeat(1 + Math.floor(30 * random() ** 2));
  const most = 1 + Math.floor(120 * random());
  const stream = random() < 0.6;
  const bounded = bodyOf(path, prompt, stream, most);
  const body = random() < 0.15 && path !== "/v1/messages" ? withoutBound(bounded) : bounded;
  const asks = random() < 0.3 && stream && reportsOnlyIfAsked(path);
  return {
    path,
    body: asks ? { ...body, stream_options: { include_usage: true } } : body,
    leaveAt: random() < 0.4 ? Math.floor(most * random()) : undefined,
    lag: Math.floor(13 * random()),
  };
}

/** The same bytes as a client without the gate would see. */
export async function askDirectly(model: ModelServer, { path, body }: Errand): Promise<string> {
  const url = `http://127.0.0.1:${model.port}${path}`;
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return Buffer.from(await response.arrayBuffer()).toString("latin1");
}

const BOUNDS: ReadonlySet<string> = new Set(["max_tokens", "max_output_tokens", "num_predict", "n_predict"]);

function withoutBound(body: object): object {
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (BOUNDS.has(name) || name === "options" ? [] : [[name, value]])),
  );
}

function chargesOf(gateway: Gateway, consumer: number): Count {
  const limits = gateway.consumer(nameOf(consumer))?.deployments["deployment-0"]?.limits ?? [];
  const used = (name: string): Tokens => limits.find((limit) => limit.name === name)?.used ?? Number.NaN;
  const count = { input: used("input_tokens_per_day"), output: used("output_tokens_per_day") };
  if (used("tokens_per_day") !== count.input + count.output) throw new Error("the limits disagree with each other");
  return count;
}

function nameOf(consumer: number): string {
  return `consumer-${consumer}`;
}

function consumerOf(index: number): ConsumerConfig {
  const sha256 = createHash("sha256")
    .update(`key of ${nameOf(index)}`)
    .digest("hex");
  return { name: nameOf(index), kind: "user", enabled: true, groups: [], keys: [{ sha256 }] };
}

interface Visit {
  isOver(): boolean;
  leave(): void;
  seen(): string;
}

function visitAs(consumer: number, { path, body }: Errand, port: number): Visit {
  const chunks: Buffer[] = [];
  let isOver = false;
  let response: IncomingMessage | undefined;
  const headers = { authorization: `Bearer key of ${nameOf(consumer)}` };
  const request = httpRequest({ port, host: "127.0.0.1", path, method: "POST", agent: false, headers });
  request.on("error", () => (isOver = true));
  request.on("response", (incoming) => {
    response = incoming;
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", () => {});
    incoming.on("close", () => (isOver = true));
  });
  request.end(JSON.stringify(body));
  return {
    isOver: () => isOver,
    leave: () => void (response ?? request).destroy(),
    seen: () => Buffer.concat(chunks).toString("latin1"),
  };
}
