import { describe, expect, onTestFinished, test } from "vitest";

import { openDoor } from "../../src/lab/http/door.ts";
import { writePrompt } from "../../src/lab/http/prompt.ts";
import { createModelServer, type ModelServer } from "../../src/lab/model/server.ts";
import { countTokens } from "../../src/lab/model/tokens.ts";
import type { Api } from "../../src/lab/scenario/types.ts";
import { askOnce, Heard, question, until } from "./kit.ts";

const APIS: readonly Api[] = ["chat", "completions", "messages"];

async function start() {
  const server: ModelServer = createModelServer({ preset: "instant" });
  const port = await server.listen();
  const door = await openDoor({ url: `http://127.0.0.1:${port}` });
  onTestFinished(async () => {
    await door.close();
    await server.close();
  });
  return { server, door };
}

describe("a prompt", () => {
  test("is a token for every word but those of the template", () => {
    for (const tokens of [1, 2, 24, 25, 26, 1_000]) {
      expect(countTokens(writePrompt("completions", 7, tokens))).toBe(tokens);
    }
  });

  test("has a first word of its own: ten million do not share one", () => {
    const NUMBERS = 26 ** 5;
    const seen = new Set<string>();
    for (let number = 0; number < NUMBERS; number += 997) seen.add(writePrompt("completions", number, 1));
    expect(seen.size).toBe(Math.ceil(NUMBERS / 997));
    expect(writePrompt("completions", 1, 1)).not.toMatch(
      new RegExp(`^${writePrompt("completions", 2, 1).slice(0, 2)}`),
    );
    expect(writePrompt("completions", NUMBERS, 1)).toBe(writePrompt("completions", 0, 1));
  });
});

describe.each(APIS)("the simulated model, asked by %s", (api) => {
  test.each([true, false])(
    "with streaming %s counts the prompt as asked for, and what it says is heard",
    async (stream) => {
      const { server, door } = await start();
      for (const promptTokens of [6, 20, 116, 5_000]) {
        const number = promptTokens;
        const heard = await askOnce(door, {
          api,
          stream,
          promptTokens,
          number,
          maxTokens: 9,
          body: { ignore_eos: true },
        });
        expect(heard.heads.map(({ status }) => status)).toEqual([200]);
        expect(heard.ends).toEqual([{ kind: "complete", inputTokens: promptTokens, outputTokens: 9 }]);
        expect(heard.pieces).toBe(stream ? 9 : 1);
      }
      expect(server.stats().requests).toEqual({ completed: 4, aborted: 0, failed: 0, faulted: 0 });
    },
  );
});

test("the simulated model notices whoever hangs up", async () => {
  const server = createModelServer({ preset: "nim-gpt-oss-20b" });
  const port = await server.listen();
  const door = await openDoor({ url: `http://127.0.0.1:${port}` });
  onTestFinished(async () => {
    await door.close();
    await server.close();
  });
  const heard = new Heard();
  const hangUp = door.ask(question({ maxTokens: 500, body: { ignore_eos: true } }), heard);
  await heard.piece();
  hangUp();
  await until(() => server.stats().concurrent === 0);
  expect(server.stats().requests.aborted).toBe(1);
  expect(heard.ends).toEqual([]);
});
