/** Requests treated as the gate treats them, without the gate. */
import { request as httpRequest, type IncomingMessage } from "node:http";

import { UsageMeter } from "../../src/gateway/usage/usage-meter.ts";
import { UsageStripper } from "../../src/gateway/usage/usage-stripper.ts";
import { reportsOnlyIfAsked, withUsage } from "../../src/gateway/usage/with-usage.ts";

/** Paths that both the simulated model and real ones have. */
export const PATHS = [
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/responses",
  "/v1/messages",
  "/api/chat",
  "/api/generate",
  "/completion",
  "/v1/embeddings",
] as const;

export type Path = (typeof PATHS)[number];

export interface Exchanged {
  readonly meter: UsageMeter;
  /** What a client of the gate would have seen. */
  readonly seen: string;
  readonly isCut: boolean;
}

export interface Wish {
  readonly path: Path;
  readonly body: object;
  /** Leaves once so many tokens were counted. */
  readonly leaveAt?: number;
  readonly asksUsage?: boolean;
}

/** A request of this path. */
export function bodyOf(path: Path, prompt: string, stream: boolean, most: number): object {
  const messages = [{ role: "user", content: prompt }];
  switch (path) {
    case "/v1/chat/completions":
      return { model: "m", messages, stream, max_tokens: most };
    case "/v1/messages":
      return { model: "m", messages, stream, max_tokens: most };
    case "/v1/responses":
      return { model: "m", input: prompt, stream, max_output_tokens: most };
    case "/v1/completions":
      return { model: "m", prompt, stream, max_tokens: most };
    case "/api/chat":
      return { model: "m", messages, stream, options: { num_predict: most } };
    case "/api/generate":
      return { model: "m", prompt, stream, options: { num_predict: most } };
    case "/completion":
      return { prompt, stream, n_predict: most };
    case "/v1/embeddings":
      return { model: "m", input: [prompt, "and more"] };
  }
}

/** One request, treated as the gate treats it. */
export function exchange(url: string, { path, body, leaveAt = Infinity, asksUsage = true }: Wish): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const plain = Buffer.from(JSON.stringify(body));
    const asked = asksUsage && reportsOnlyIfAsked(path) ? withUsage(plain) : undefined;
    const request = httpRequest(url + path, { method: "POST", agent: false });
    request.on("error", reject);
    request.on("response", (response: IncomingMessage) => {
      const meter = new UsageMeter({ contentType: response.headers["content-type"] ?? "", isEncoded: false });
      const stripper = asked === undefined ? undefined : new UsageStripper();
      const seen: Buffer[] = [];
      let isCut = false;
      response.on("data", (chunk: Buffer) => {
        if (isCut) return;
        meter.push(chunk);
        const shown = stripper === undefined ? chunk : stripper.push(chunk);
        if (shown !== undefined) seen.push(shown);
        if (meter.outputSoFar < leaveAt) return;
        isCut = true;
        response.destroy();
      });
      response.on("error", () => {});
      response.on("close", () => {
        const rest = stripper?.flush();
        if (rest !== undefined) seen.push(rest);
        resolve({ meter, seen: Buffer.concat(seen).toString(), isCut });
      });
    });
    request.end(asked ?? plain);
  });
}

/** Several at a time, so that their chunks mix on the wire. */
export async function inParallel<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += 20) {
    results.push(...(await Promise.all(items.slice(start, start + 20).map((item) => run(item)))));
  }
  return results;
}
