import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

import { createModelServer, type ModelServer, type ModelServerOptions } from "../../src/lab/model/server.ts";

/** Runs `body` against a listening server, closes it, and holds that nothing is left of any request. */
export async function withServer(
  options: Partial<ModelServerOptions>,
  body: (server: ModelServer, url: string) => Promise<void>,
): Promise<void> {
  const server = createModelServer({ preset: "instant", ...options });
  const port = await server.listen();
  try {
    await body(server, `http://127.0.0.1:${port}`);
  } finally {
    await server.close();
  }
  await until(() => server.stats().concurrent === 0);
  const { running, waiting, kvUsedTokens } = server.engine.state;
  if (running + waiting + kvUsedTokens > 0) throw new Error("the engine still holds sequences after close");
}

/** Lets the event loop turn until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the condition never came to hold");
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** How the body ended: complete, or cut off. */
  readonly ended: "complete" | "cut";
}

export interface Call {
  readonly method?: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One exchange over a socket of its own. Rejects where no headers come. */
export function exchange(url: string, { method, body, headers = {} }: Call = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      agent: false,
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", () => {});
      response.on("close", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          ended: response.complete ? "complete" : "cut",
        }),
      );
    });
    request.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
  });
}

/** The `data:` lines of an event stream, parsed; `[DONE]` stays text. */
export function sseData(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice(6))
    .map((data): unknown => (data === "[DONE]" ? data : JSON.parse(data)));
}
