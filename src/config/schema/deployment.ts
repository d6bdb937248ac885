import { z } from "zod";
import { choice, count, duration, size, toggle } from "../fields/field.ts";
import { consumerName, modelName } from "../fields/names.ts";
import type { DeploymentConfig, QueueConfig, TokenizerName } from "../types.ts";
import { backend } from "./backend.ts";
import { byName, capacity, limits, mode, reservation } from "./policy.ts";

const DAY = 24 * 3_600_000;
const wait = { min: 1, max: DAY };

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

const tokenizer: z.ZodType<TokenizerName> = choice("o200k", "o200k_harmony", "cl100k", "backend");

const settings = z.strictObject({
  models: z
    .array(modelName())
    .min(1)
    .prefault(["*"])
    .describe(
      'Model names that clients may ask for. `"*"` catches every name that no other deployment has; only one deployment can.',
    ),
  backends: z
    .array(backend)
    .min(1)
    .describe(
      "Servers that answer for this deployment; a request goes to the least loaded one. A URL alone is short for `url`.",
    ),
  max_concurrent: count({ min: 1, max: 100_000 })
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
  limits: limits
    .prefault({})
    .describe(
      "The default policy: ceilings for each consumer, in any combination. What is left out is unlimited. A request that would break one of them is refused and uses up none of them.",
    ),
  exceptions: byName(limits)
    .prefault({})
    .describe(
      "Limits in place of the default policy, by the name of a consumer or group, with the same keys as `limits`. The most specific that has a limit says what it is: the consumer, then its groups in their order, then the default policy. A group's exception holds for each of its members by itself.",
    ),
  capacity: capacity
    .optional()
    .describe("What the deployment can sustain; at least one of the two rates. Left out, only seats are shared out."),
  reservations: byName(reservation)
    .prefault({})
    .describe(
      "Guaranteed parts of the capacity by the name of a consumer or group, 100% at the most together. They are floors, not ceilings: what nobody uses goes to whoever asks. Everybody else shares what is not reserved.",
    ),
  mode: mode
    .prefault("reject")
    .describe(
      "What becomes of a request over its share of the capacity. `reject`: 429 at once. `queue`: it waits for its turn, within the bounds of `queue`.",
    ),
  modes: byName(mode.describe("The `mode` of this consumer, or of each member of this group."))
    .prefault({})
    .describe("Modes in place of `mode`, by the name of a consumer or group."),
  allow: z
    .array(consumerName())
    .min(1)
    .optional()
    .describe("Names of the consumers and groups that may use the deployment; others get 403. Left out, all may."),
  charge: choice("estimate", "on_completion")
    .prefault("estimate")
    .describe(
      "When tokens are charged to limits and shares. `estimate`: before the request, from its length and what such requests usually generate, made true while the answer streams. `on_completion`: all at its end, so that many at once can go far over a limit.",
    ),
  tokenizer: tokenizer
    .optional()
    .describe(
      "How input tokens are counted where the estimate is too close to a limit to decide: an encoding, or `backend` to ask the backend's own `/tokenize`. Left out, the estimate decides.",
    ),
});

/** What the file says about one deployment; its name is the key. */
type Unnamed = Omit<DeploymentConfig, "name">;

/** `deployments`. */
export const deployments: z.ZodType<readonly DeploymentConfig[]> = z
  .record(z.string(), settings.transform(complete))
  .transform((from) => Object.entries(from).map(([name, rest]) => ({ name, ...rest })));

function complete(from: z.output<typeof settings>): Unnamed {
  const { models, backends, limits, exceptions, capacity, reservations, mode, modes, charge, tokenizer } = from;
  return {
    models,
    backends,
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
    limits,
    exceptions,
    capacity,
    reservations,
    allowed: from.allow === undefined ? undefined : new Set(from.allow),
    mode,
    modes,
    charge,
    tokenizer,
  };
}

function toQueue(from: z.output<typeof queue>, maxConcurrent: number): QueueConfig {
  return {
    maxLength: from.max_length ?? Math.max(64, 4 * maxConcurrent),
    maxWaitMs: from.max_wait,
    maxBytes: from.max_bytes,
  };
}
