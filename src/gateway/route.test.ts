import { describe, expect, test } from "vitest";

import { type Route, routeOf } from "./route.ts";

const SEATED = { kind: "forward", seat: true, json: true } as const;
const UNKNOWN = { kind: "forward", surface: "openai", seat: true, json: false } as const;
const LIGHT = { kind: "forward", surface: "openai", seat: false, json: false } as const;

describe("a POST", () => {
  test.each([
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/rerank",
    "/v1/reranking",
    "/v1/score",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/audio/speech",
    "/completion",
    "/completions",
    "/chat/completions",
    "/responses",
    "/infill",
    "/embedding",
    "/embeddings",
    "/rerank",
    "/reranking",
    "/score",
    "/pooling",
    "/classify",
    "/generate",
    "/generate_stream",
    "/invocations",
  ])("on %s takes a seat and a JSON object", (path) => {
    expect(routeOf("POST", path)).toEqual({ ...SEATED, surface: "openai" });
  });

  test("on /v1/messages takes both, and errors are Anthropic's", () => {
    expect(routeOf("POST", "/v1/messages?beta=true")).toEqual({ ...SEATED, surface: "anthropic" });
  });

  test.each(["/api/chat", "/api/generate", "/api/embed", "/api/embeddings"])(
    "on %s takes both, and errors are Ollama's",
    (path) => {
      expect(routeOf("POST", path)).toEqual({ ...SEATED, surface: "ollama" });
    },
  );

  test.each([
    "/tokenize",
    "/detokenize",
    "/v1/tokenize",
    "/v1/detokenize",
    "/chat_tokenize",
    "/apply-template",
    "/v1/chat/completions/input_tokens",
    "/v1/responses/input_tokens",
    "/v1/chat/completions/control",
    "/v1/chat/completions/render",
    "/v1/completions/render",
    "/v1/files",
    "/slots",
    "/props",
    "/lora-adapters",
  ])("on %s is light", (path) => {
    expect(routeOf("POST", path)).toEqual(LIGHT);
  });

  test("that is light keeps the errors of its surface", () => {
    expect(routeOf("POST", "/v1/messages/count_tokens")).toEqual({ ...LIGHT, surface: "anthropic" });
    expect(routeOf("POST", "/api/show")).toEqual({ ...LIGHT, surface: "ollama" });
  });

  test.each(["/", "/x", "/v1/models", "/v1/audio/transcriptions", "/v1/chat/completions/x"])(
    "on %s, which nobody listed, takes a seat and any body",
    (path) => {
      expect(routeOf("POST", path)).toEqual(UNKNOWN);
    },
  );

  test("on an unknown path of Ollama's or Anthropic's has their errors", () => {
    expect(routeOf("POST", "/api/pull")).toEqual({ ...UNKNOWN, surface: "ollama" });
    expect(routeOf("POST", "/v1/messages/batches")).toEqual({ ...UNKNOWN, surface: "anthropic" });
  });
});

describe("other methods", () => {
  test.each(["PUT", "PATCH", "PROPFIND", "QUERY"])("%s takes a seat like POST", (method) => {
    expect(routeOf(method, "/v1/chat/completions")).toMatchObject({ seat: true });
    expect(routeOf(method, "/x")).toMatchObject({ seat: true });
  });

  test.each(["GET", "HEAD", "OPTIONS", "DELETE"])("%s takes none", (method) => {
    expect(routeOf(method, "/v1/chat/completions")).toEqual(LIGHT);
    expect(routeOf(method, "/anything")).toEqual(LIGHT);
  });
});

describe("the gate's own pages", () => {
  test.each([
    ["/proxy/stats", "stats"],
    ["/healthz", "healthz"],
    ["/readyz", "readyz"],
  ])("%s is one for GET and HEAD", (path, page) => {
    const own: Route = { kind: "own", page: page as "stats", surface: "openai" };
    expect(routeOf("GET", path)).toEqual(own);
    expect(routeOf("HEAD", `/${path}/?x`)).toEqual(own);
    for (const method of ["POST", "DELETE", "OPTIONS"]) {
      expect(routeOf(method, path)).toEqual({ kind: "not_allowed", surface: "openai" });
    }
  });

  test("the list of models is one for GET", () => {
    expect(routeOf("GET", "/v1/models")).toEqual({ kind: "models", surface: "openai" });
    expect(routeOf("HEAD", "/v1/models")).toEqual(LIGHT);
    expect(routeOf("GET", "/v1/models/x")).toEqual(LIGHT);
  });
});
