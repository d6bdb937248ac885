import { z } from "zod";
import { backendUrl, choice, count, duration, host, modelName, port, secret, size, toggle } from "./field.ts";
import type { BackendConfig, Config, DeploymentConfig, OnClientDisconnect, QueueConfig } from "./types.ts";

// The file `headgate.yaml`: the only place that says which keys there are, what they take and what they mean. The JSON
// Schema, the reference page and the suggestions for unknown keys all come from here.

const DAY = 24 * 3_600_000;
const wait = { min: 1, max: DAY };
const seats = { min: 1, max: 100_000 };
const whenClientLeaves: OnClientDisconnect = "abort";

const server = z.strictObject({
  host: host()
    .prefault("127.0.0.1")
    .describe(
      "Host name or address that clients call. Danger: on anything but loopback, everybody who reaches the address can use the model; `0.0.0.0` and `::` are every address of the machine.",
    ),
  port: port().prefault(8080).describe("TCP port that clients call. `0` takes any free port."),
  max_body_size: size({ min: 1000, max: 1e9 })
    .prefault("32MB")
    .describe(
      "Bytes that the body of one request may have; a larger one is refused with 413. Bodies are held in memory.",
    ),
  drain_timeout: duration({ min: 0, max: DAY })
    .prefault("10m")
    .describe(
      "How long a gate that was told to stop lets running and waiting requests finish. After it, they are cut off; `0s` cuts them off at once.",
    ),
});

const backend = z.strictObject({
  url: backendUrl().describe(
    "Base URL of the server, `http` or `https`. A path prefix is put in front of the client's path, which has its own `/v1`. No user name, query or fragment; link-local and cloud metadata addresses are refused.",
  ),
  api_key: secret()
    .optional()
    .describe(
      "Key that the backend wants, sent as `Authorization: Bearer`. Empty or left out sends none. Take it from a variable, as in `${NIM_API_KEY:-}`: whoever can read the file can read a key in it. It is never shown in a message.",
    ),
  max_concurrent: count(seats)
    .optional()
    .describe(
      "Requests that may be open at this one backend. Left out, only the deployment's own `max_concurrent` holds.",
    ),
  on_client_disconnect: choice("abort", "drain")
    .prefault(whenClientLeaves)
    .describe(
      "What happens at the backend when the client goes away. `abort` closes the connection, which makes most servers stop generating. `drain` reads the answer to its end and keeps the seat until then: for servers that go on generating anyway.",
    ),
});

const queue = z.strictObject({
  max_length: count({ min: 1, max: 1e6 })
    .optional()
    .describe("Requests that may wait for a seat. Left out, it is 4 × `max_concurrent`, and 64 at the least."),
  max_wait: duration(wait)
    .prefault("5m")
    .describe("How long a request may wait for a seat before it is refused with 503."),
  max_bytes: size({ min: 1000, max: 64e9 })
    .prefault("256MB")
    .describe("Bytes of request bodies that may wait. They are held in memory, so it bounds what a full queue costs."),
});

const timeouts = z.strictObject({
  connect: duration(wait).prefault("5s").describe("How long opening a connection to a backend may take."),
  first_byte: duration(wait)
    .prefault("10m")
    .describe(
      "How long a backend may take to begin its answer. A long prompt, or an answer that is not streamed, needs most of it.",
    ),
  idle: duration(wait).prefault("10m").describe("How long a backend that has begun to answer may send nothing."),
});

const deployment = z.strictObject({
  models: z
    .array(modelName())
    .min(1)
    .prefault(["*"])
    .describe(
      'Model names that clients may ask for. `"*"` catches every name that no other deployment has; only one deployment can.',
    ),
  backends: z
    .array(z.union([backendUrl(), backend]))
    .min(1)
    .describe(
      "Servers that answer for this deployment; a request goes to the least loaded one. A URL alone is short for `url`.",
    ),
  max_concurrent: count(seats)
    .prefault(5)
    .describe(
      "Seats: requests that may be open at the backends together. Danger: more than the server runs at once only moves the waiting to where nobody sees it.",
    ),
  max_inflight_tokens: count({ min: 1, max: 1e9 })
    .optional()
    .describe(
      "Second cap: tokens that may be in flight together, input and expected output. Left out, tokens are not capped.",
    ),
  queue: queue
    .optional()
    .describe(
      "What may wait when every seat is taken. Left out, a request without a seat is refused at once; `{}` takes the defaults below.",
    ),
  timeouts: timeouts
    .prefault({})
    .describe("How long a backend may be silent. There is no cap on the length of a whole answer."),
  max_unseated: count({ min: 0, max: 100_000 })
    .prefault(16)
    .describe(
      "Requests that may be open on paths that take no seat, such as `GET /v1/models` and `/tokenize`. `0` refuses all of them.",
    ),
  forward_client_credentials: toggle()
    .prefault(false)
    .describe(
      "Whether the client's own `Authorization` and `x-api-key` headers reach the backend. Danger: with `true`, every backend sees the keys of every client.",
    ),
});

const file = z
  .strictObject({
    server: server.prefault({}).describe("Where clients reach the gate."),
    deployments: z
      .record(z.string(), deployment)
      .describe(
        "Deployments by name: one model endpoint each. A name has letters, digits and `. _ : / @ -`, 64 at the most, and begins with a letter or digit.",
      )
      .meta({ minProperties: 1 }),
  })
  .describe("The configuration of `headgate serve`.");

type FileConfig = z.output<typeof file>;
type FileDeployment = z.output<typeof deployment>;

/** The configuration, or what zod has against it. */
export type SchemaReading =
  | { readonly kind: "read"; readonly config: Config }
  | { readonly kind: "refused"; readonly issues: readonly z.core.$ZodIssue[] };

/** Holds a plain value, as YAML gives it, against the schema. */
export function readSchema(tree: unknown): SchemaReading {
  const result = file.safeParse(tree);
  return result.success
    ? { kind: "read", config: toConfig(result.data) }
    : { kind: "refused", issues: result.error.issues };
}

/** The schema for editors: JSON Schema draft-07 of the file before variables are filled in. */
export function jsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(file, { io: "input", target: "draft-07" });
}

function toConfig(from: FileConfig): Config {
  return {
    server: {
      host: from.server.host,
      port: from.server.port,
      maxBodyBytes: from.server.max_body_size,
      drainTimeoutMs: from.server.drain_timeout,
    },
    deployments: Object.entries(from.deployments).map(([name, deployment]) => toDeployment(name, deployment)),
  };
}

function toDeployment(name: string, from: FileDeployment): DeploymentConfig {
  return {
    name,
    models: from.models,
    backends: from.backends.map(toBackend),
    maxConcurrent: from.max_concurrent,
    maxInflightTokens: from.max_inflight_tokens ?? Infinity,
    queue: from.queue === undefined ? undefined : toQueue(from.queue, from.max_concurrent),
    timeouts: {
      connectMs: from.timeouts.connect,
      firstByteMs: from.timeouts.first_byte,
      idleMs: from.timeouts.idle,
    },
    maxUnseated: from.max_unseated,
    forwardClientCredentials: from.forward_client_credentials,
  };
}

function toBackend(from: FileDeployment["backends"][number]): BackendConfig {
  if (typeof from === "string") return { url: from, onClientDisconnect: whenClientLeaves };
  return {
    url: from.url,
    ...(from.api_key !== undefined && from.api_key !== "" && { apiKey: from.api_key }),
    ...(from.max_concurrent !== undefined && { maxConcurrent: from.max_concurrent }),
    onClientDisconnect: from.on_client_disconnect,
  };
}

function toQueue(from: z.output<typeof queue>, maxConcurrent: number): QueueConfig {
  return {
    maxLength: from.max_length ?? Math.max(64, 4 * maxConcurrent),
    maxWaitMs: from.max_wait,
    maxBytes: from.max_bytes,
  };
}
