import type { IncomingMessage, ServerResponse } from "node:http";

import { z } from "zod";

import type { Site } from "../site.ts";
import { messagesSchema, promptOfMessages, readBy } from "../surfaces/body.ts";
import { decodeTokens, splitTokens, tokenId } from "../tokens.ts";
import { readJson } from "./body.ts";
import { sendError, sendJson } from "./errors.ts";

const tokenizeSchema = z.union(
  [
    z.object({ prompt: z.string() }),
    z.object({ messages: messagesSchema }),
    z.object({ content: z.string(), with_pieces: z.boolean().nullish() }),
  ],
  "one of prompt, messages and content is required",
);

const detokenizeSchema = z.object({ tokens: z.array(z.number()) });

/** `/tokenize` as of vLLM (`prompt` or `messages`) and of llama-server (`content`). */
export async function serveTokenize(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readJson(request);
  if (body.kind === "gone") return;
  const read = readBy(tokenizeSchema, body.kind === "json" ? body.value : undefined);
  if ("problem" in read)
    return sendError(response, "openai", { status: 400, message: read.problem, param: read.param });
  const { value } = read;
  if ("content" in value) {
    const pieces = splitTokens(value.content);
    const asToken = (piece: string): unknown =>
      value.with_pieces === true ? { id: tokenId(piece), piece } : tokenId(piece);
    return sendJson(response, 200, { tokens: pieces.map(asToken) });
  }
  const text = "prompt" in value ? value.prompt : promptOfMessages(value.messages).text;
  const tokens = splitTokens(text).map(tokenId);
  sendJson(response, 200, { count: tokens.length, max_model_len: site.preset.engine.contextTokens, tokens });
}

/** `/detokenize`: answers in vLLM's field and in llama-server's. */
export async function serveDetokenize(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readJson(request);
  if (body.kind === "gone") return;
  const read = readBy(detokenizeSchema, body.kind === "json" ? body.value : undefined);
  if ("problem" in read)
    return sendError(response, "openai", { status: 400, message: read.problem, param: read.param });
  const text = decodeTokens(read.value.tokens);
  if (text === undefined) {
    return sendError(response, "openai", { status: 400, message: "tokens: not a token's id", param: "tokens" });
  }
  sendJson(response, 200, { prompt: text, content: text });
}
