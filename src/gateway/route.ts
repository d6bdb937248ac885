import { canonicalPath } from "./http/path.ts";

/** Whose error shape a client on this path expects. */
export type Surface = "openai" | "anthropic" | "ollama";

/** What a request is, from its method and path alone. */
export type Route =
  /** The gate answers itself. */
  | { readonly kind: "own"; readonly page: "stats" | "healthz" | "readyz"; readonly surface: Surface }
  /** A page of the gate's own, asked for by a method that it does not have. */
  | { readonly kind: "not_allowed"; readonly surface: Surface }
  /** The models of all backends, as one list. */
  | { readonly kind: "models"; readonly surface: Surface }
  /** A backend answers. `seat`: it costs the GPU something. `json`: its body must be a JSON object. */
  | { readonly kind: "forward"; readonly surface: Surface; readonly seat: boolean; readonly json: boolean };

/** The part of the routes that a backend answers. */
export type ForwardRoute = Extract<Route, { kind: "forward" }>;

/** Paths whose POST makes the GPU work and takes a JSON object. */
const INFERENCE: ReadonlyMap<string, Surface> = new Map<string, Surface>([
  // OpenAI, vLLM, SGLang, NIM, llama-server
  ["/v1/chat/completions", "openai"],
  ["/v1/completions", "openai"],
  ["/v1/responses", "openai"],
  ["/v1/embeddings", "openai"],
  ["/v1/rerank", "openai"],
  ["/v1/reranking", "openai"],
  ["/v1/score", "openai"],
  ["/v1/moderations", "openai"],
  ["/v1/images/generations", "openai"],
  ["/v1/audio/speech", "openai"],
  // Anthropic
  ["/v1/messages", "anthropic"],
  // Ollama
  ["/api/chat", "ollama"],
  ["/api/generate", "ollama"],
  ["/api/embed", "ollama"],
  ["/api/embeddings", "ollama"],
  // llama-server, TGI, SGLang
  ["/completion", "openai"],
  ["/completions", "openai"],
  ["/chat/completions", "openai"],
  ["/responses", "openai"],
  ["/infill", "openai"],
  ["/embedding", "openai"],
  ["/embeddings", "openai"],
  ["/rerank", "openai"],
  ["/reranking", "openai"],
  ["/score", "openai"],
  ["/pooling", "openai"],
  ["/classify", "openai"],
  ["/generate", "openai"],
  ["/generate_stream", "openai"],
  ["/invocations", "openai"],
]);

/** Paths whose POST costs the GPU nothing worth a seat. */
const LIGHT: ReadonlySet<string> = new Set([
  "/tokenize",
  "/detokenize",
  "/v1/tokenize",
  "/v1/detokenize",
  "/chat_tokenize",
  "/apply-template",
  "/v1/messages/count_tokens",
  "/v1/chat/completions/input_tokens",
  "/v1/responses/input_tokens",
  "/v1/chat/completions/control",
  "/v1/chat/completions/render",
  "/v1/completions/render",
  "/v1/files",
  "/api/show",
  "/slots",
  "/props",
  "/lora-adapters",
]);

const OWN: ReadonlyMap<string, "stats" | "healthz" | "readyz"> = new Map([
  ["/proxy/stats", "stats"],
  ["/healthz", "healthz"],
  ["/readyz", "readyz"],
]);

const NOT_ALLOWED: Route = { kind: "not_allowed", surface: "openai" };

/**
 * Decides what a request is. Reading methods take no seat. Of the others, those known to be light take none; the
 * inference paths do, and so does everything unknown: a path that nobody listed may well reach the GPU.
 */
export function routeOf(method: string, target: string): Route {
  const path = canonicalPath(target);
  const reads = method === "GET" || method === "HEAD";
  const page = OWN.get(path);
  if (page !== undefined) return reads ? { kind: "own", page, surface: "openai" } : NOT_ALLOWED;
  if (path === "/v1/models" && method === "GET") return { kind: "models", surface: "openai" };
  const known = INFERENCE.get(path);
  const surface = known ?? surfaceOfPath(path);
  if (reads || method === "OPTIONS" || method === "DELETE" || LIGHT.has(path)) {
    return { kind: "forward", surface, seat: false, json: false };
  }
  return { kind: "forward", surface, seat: true, json: known !== undefined };
}

function surfaceOfPath(path: string): Surface {
  if (path.startsWith("/v1/messages")) return "anthropic";
  return path.startsWith("/api/") ? "ollama" : "openai";
}
