import { copyFileSync } from "node:fs";
import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { useLlama } from "../llama/fixture.ts";
import { folder, readRows, row, rows, run, startServer, writeRows } from "./kit.ts";

/**
 * A line of a batch's output and of its error file, as OpenAI's reference has them ("The request output object",
 * platform.openai.com/docs/api-reference/batch/request-output). Strict: one member too many is a mistake.
 */
const outputLine = z.strictObject({
  id: z.string().startsWith("batch_req_"),
  custom_id: z.string(),
  response: z.strictObject({ status_code: z.literal(200), request_id: z.string(), body: z.looseObject({}) }),
  error: z.null(),
});

const chatCompletion = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.number(),
  model: z.string(),
  choices: z
    .array(
      z.looseObject({
        index: z.number(),
        message: z.looseObject({ role: z.literal("assistant"), content: z.string() }),
        finish_reason: z.enum(["stop", "length"]),
      }),
    )
    .min(1),
  usage: z.looseObject({ prompt_tokens: z.number(), completion_tokens: z.number(), total_tokens: z.number() }),
}) satisfies z.ZodType<Pick<OpenAI.ChatCompletion, "id" | "object" | "created" | "model">>;

describe("the output", () => {
  it("is what OpenAI's batch tooling reads, field by field, and the failures are its input", async () => {
    const server = await startServer(({ name }) => (name === "row 1" ? { status: 400, body: { error: {} } } : {}));
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(4));
    await run({ input, url: server.url });
    expect(readRows(path("in.out.jsonl")).map((line) => outputLine.parse(line))).toHaveLength(3);
    const [failure = {}] = readRows(path("in.out.errors.jsonl"));
    expect(failure).toMatchObject(row("row 1"));
    // The members of OpenAI's error file stand beside those of its input.
    expect(failure).toMatchObject({
      id: expect.stringMatching(/^batch_req_/) as string,
      response: { status_code: 400 },
    });
    copyFileSync(path("in.out.errors.jsonl"), path("again.jsonl"));
    const { progress } = await run({ input: path("again.jsonl"), url: server.url });
    expect(progress.sent).toBe(1);
  });
});

describe("the output of real llama.cpp", () => {
  const llama = useLlama({ slots: 4 });

  it("is what OpenAI's batch tooling reads, with tokens as the server counts them", async () => {
    const { path } = folder();
    const input = writeRows(path("in.jsonl"), rows(12));
    const before = await llama().stats();
    const { progress } = await run({ input, url: `${llama().url}/v1`, concurrency: 8 });
    const after = await llama().idle();
    expect(progress).toMatchObject({ answered: 12, failed: 0, withoutUsage: 0 });
    expect(progress.tokens.output).toBe(after.generated_tokens - before.generated_tokens);
    const lines = readRows(path("in.out.jsonl")).map((line) => outputLine.parse(line));
    expect(lines).toHaveLength(12);
    for (const { response } of lines) expect(chatCompletion.parse(response.body)).toBeDefined();
  });
});
