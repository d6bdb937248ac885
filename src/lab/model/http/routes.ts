import type { IncomingMessage, ServerResponse } from "node:http";

import { EXPOSITION_TYPE } from "../metrics/exposition.ts";
import { renderMetrics } from "../metrics/page.ts";
import { resetSite, statsOf, type Site } from "../site.ts";
import { anthropicMessages } from "../surfaces/anthropic-messages.ts";
import { llamaCompletion } from "../surfaces/llama-completion.ts";
import { ollamaChat, ollamaGenerate } from "../surfaces/ollama.ts";
import { openaiChat } from "../surfaces/openai-chat.ts";
import { openaiCompletions } from "../surfaces/openai-completions.ts";
import { openaiEmbeddings } from "../surfaces/openai-embeddings.ts";
import { openaiResponses } from "../surfaces/openai-responses.ts";
import { CREATED_SECONDS, type Surface } from "../surfaces/types.ts";
import { sendJson } from "./errors.ts";
import { serveInference } from "./inference.ts";
import { serveDetokenize, serveTokenize } from "./tokenize.ts";

export interface Route {
  readonly method: "GET" | "POST";
  serve(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
}

const SURFACES: Readonly<Record<string, Surface>> = {
  "/v1/chat/completions": openaiChat,
  "/v1/completions": openaiCompletions,
  "/v1/embeddings": openaiEmbeddings,
  "/v1/responses": openaiResponses,
  "/v1/messages": anthropicMessages,
  "/api/chat": ollamaChat,
  "/api/generate": ollamaGenerate,
  "/completion": llamaCompletion,
};

/** All paths of the server. */
export function createRoutes(site: Site): ReadonlyMap<string, Route> {
  const health = get((response) => sendJson(response, 200, { status: "ok" }));
  const routes = new Map<string, Route>([
    ["/health", health],
    ["/v1/health/live", health],
    ["/v1/health/ready", health],
    ["/v1/models", get((response) => sendJson(response, 200, modelList(site)))],
    ["/metrics", get((response) => sendMetrics(site, response))],
    ["/tokenize", { method: "POST", serve: (request, response) => serveTokenize(site, request, response) }],
    ["/detokenize", { method: "POST", serve: serveDetokenize }],
    ["/sim/stats", get((response) => sendJson(response, 200, statsOf(site)))],
    ["/sim/peak", { method: "POST", serve: (request, response) => sendPeak(site, request, response) }],
    ["/sim/reset", { method: "POST", serve: (request, response) => reset(site, request, response) }],
  ]);
  for (const [path, surface] of Object.entries(SURFACES)) {
    routes.set(path, {
      method: "POST",
      serve: (request, response) => {
        if (site.rateLimit?.admit(request, response) !== false) return serveInference(site, surface, request, response);
      },
    });
  }
  return routes;
}

function get(serve: (response: ServerResponse) => void): Route {
  return { method: "GET", serve: (_request, response) => serve(response) };
}

function modelList({ preset }: Site): object {
  const model = { id: preset.modelName, object: "model", created: CREATED_SECONDS, owned_by: "headgate" };
  return { object: "list", data: [{ ...model, max_model_len: preset.engine.contextTokens }] };
}

function sendMetrics({ preset, engine, telemetry, clock }: Site, response: ServerResponse): void {
  const page = renderMetrics({ preset, engine, telemetry, now: clock.now() });
  response.writeHead(200, { "content-type": EXPOSITION_TYPE, "content-length": Buffer.byteLength(page) });
  response.end(page);
}

/** For one watcher: what it is told starts anew for the next time. */
function sendPeak({ visits, engine }: Site, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  sendJson(response, 200, { peak: visits.takePeak(), wedged: engine.state.wedged });
}

function reset(site: Site, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  resetSite(site);
  sendJson(response, 200, statsOf(site));
}
