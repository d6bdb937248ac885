import { z } from "zod";
import { choice, count, toggle } from "../fields/field.ts";
import { backendUrl } from "../fields/network.ts";
import { secret } from "../fields/secrets.ts";
import type { BackendConfig, OnClientDisconnect } from "../types.ts";

const whenClientLeaves: OnClientDisconnect = "abort";

const settings = z.strictObject({
  url: backendUrl().describe(
    "Base URL of the server, `http` or `https`. A path prefix is put in front of the client's path, which has its own `/v1`. No user name, query or fragment; link-local and cloud metadata addresses are refused.",
  ),
  api_key: secret()
    .optional()
    .describe(
      "Key that the backend wants, sent as `Authorization: Bearer`. Empty or left out sends none. Take it from a variable, as in `${NIM_API_KEY:-}`: whoever can read the file can read a key in it. It is never shown in a message.",
    ),
  max_concurrent: count({ min: 1, max: 100_000 })
    .optional()
    .describe(
      "Requests that may be open at this one backend. Left out, only the deployment's own `max_concurrent` holds.",
    ),
  on_client_disconnect: choice("abort", "drain")
    .prefault(whenClientLeaves)
    .describe(
      "What happens at the backend when the client goes away. `abort` closes the connection, which makes most servers stop generating. `drain` reads the answer to its end and keeps the seat until then: for servers that go on generating anyway.",
    ),
  ask_for_usage: toggle()
    .prefault(true)
    .describe(
      "Whether streams are asked to report their usage where tokens are counted and the client has not asked; what that adds is taken out again. With `false` nothing is asked: for llama-server, which then leaves its `timings` where clients look for them and from which tokens are read anyway, and for servers that do not know `stream_options`.",
    ),
});

/** Each of the `backends`: a URL, or a mapping with one. */
export const backend: z.ZodType<BackendConfig> = z.union([
  backendUrl().transform((url): BackendConfig => ({ url, onClientDisconnect: whenClientLeaves })),
  settings.transform((from): BackendConfig => ({
    url: from.url,
    ...(from.api_key !== undefined && from.api_key !== "" && { apiKey: from.api_key }),
    ...(from.max_concurrent !== undefined && { maxConcurrent: from.max_concurrent }),
    onClientDisconnect: from.on_client_disconnect,
    ...(!from.ask_for_usage && { askForUsage: false }),
  })),
]);
