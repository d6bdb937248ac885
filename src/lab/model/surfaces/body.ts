import { z } from "zod";

import { countTokens, decodeTokens } from "../tokens.ts";
import type { Problem, Prompt } from "./types.ts";

interface Message {
  readonly role?: string | undefined;
  readonly content?: Content | null | undefined;
}

type Content = string | readonly { readonly text?: string | undefined }[];

/** Text, or parts of which those with a `text` count. */
export const contentSchema: z.ZodType<Content> = z.union([
  z.string(),
  z.array(z.object({ text: z.string().optional() })),
]);

export const messagesSchema: z.ZodType<readonly Message[]> = z
  .array(z.object({ role: z.string().optional(), content: contentSchema.nullish() }))
  .min(1);

/** Text or token ids. */
export const promptSchema: z.ZodType<string | readonly number[]> = z.union([
  z.string(),
  z.array(z.number().int().nonnegative()),
]);

/** A limit on the output: at least one token. */
export const limitSchema: z.ZodType<number | null | undefined> = z.number().int().min(1).nullish();

/** Reads a body by its schema, or says the first thing that is wrong with it. */
export function readBy<T>(schema: z.ZodType<T>, body: unknown): { readonly value: T } | Problem {
  const result = schema.safeParse(body);
  if (result.success) return { value: result.data };
  const issue = result.error.issues[0];
  const param = issue?.path.join(".");
  const where = param === undefined || param === "" ? "body" : param;
  return { problem: `${where}: ${issue?.message ?? "invalid"}`, param: param === "" ? undefined : param };
}

/** Messages as one text, by a chat template of one line per role and message. */
export function promptOfMessages(messages: readonly Message[], system?: Content | null): Prompt {
  let text = system === undefined || system === null ? "" : `system\n${textOf(system)}\n`;
  for (const { role = "user", content } of messages) text += `${role}\n${textOf(content ?? "")}\n`;
  return promptOfText(`${text}assistant\n`);
}

export function promptOf(prompt: string | readonly number[]): Prompt {
  if (typeof prompt === "string") return promptOfText(prompt);
  return { text: decodeTokens(prompt) ?? prompt.join(" "), tokens: Math.max(1, prompt.length) };
}

export function promptOfText(text: string): Prompt {
  return { text, tokens: Math.max(1, countTokens(text)) };
}

function textOf(content: Content): string {
  return typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
}
