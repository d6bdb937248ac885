/** The meter's numbers against those of real llama.cpp, which counts for itself. */
import { describe, expect, test } from "vitest";

import { settlement } from "../../src/core/cost/settlement.ts";
import { BackendCounter } from "../../src/gateway/usage/backend-count.ts";
import { useLlama } from "../llama/fixture.ts";
import { bodyOf, exchange, inParallel, PATHS } from "./usage-exchange.ts";

const SURFACES = PATHS.filter(
  (path) => !path.startsWith("/api/") && path !== "/v1/responses" && path !== "/v1/embeddings",
);

const llama = useLlama({ slots: 4 });

describe("the meter", () => {
  test.each([true, false])("agrees with llama.cpp about 80 requests, asking for usage: %s", async (asksUsage) => {
    const backend = llama();
    const before = await backend.idle();
    const wishes = Array.from({ length: 80 }, (_, index) => {
      const path = SURFACES[index % SURFACES.length] ?? "/completion";
      const prompt = `Tell me ${index} things about the water. `.repeat(1 + (index % 7));
      return { path, body: bodyOf(path, prompt, index % 8 < 4, 1 + (index % 40)), asksUsage };
    });
    const sum = { input: 0, output: 0 };
    for (const { meter } of await inParallel(wishes, (wish) => exchange(backend.url, wish))) {
      const result = meter.result();
      if (result.kind !== "reported") throw new Error(`${result.kind} where the backend reports`);
      sum.input += result.input ?? NaN;
      sum.output += result.output;
    }
    const after = await backend.idle();
    expect(sum).toEqual({
      input: after.prompt_tokens - before.prompt_tokens,
      output: after.generated_tokens - before.generated_tokens,
    });
  });

  test("charges clients that leave no less than llama.cpp generated", async () => {
    const backend = llama();
    const before = await backend.idle();
    let charged = 0;
    for (const path of SURFACES) {
      for (const leaveAt of [1, 5, 20]) {
        const body = { ...bodyOf(path, "Tell me about the water", true, 3_000), ignore_eos: true };
        const { meter, isCut } = await exchange(backend.url, { path, body, leaveAt });
        expect(isCut).toBe(true);
        charged += settlement({ input: 9, output: 3_000 }, meter.result(), "cut").output;
      }
    }
    const generated = (await backend.idle()).generated_tokens - before.generated_tokens;
    expect(charged).toBeGreaterThanOrEqual(generated);
    expect(charged).toBeLessThan((12 * 3_000) / 2);
  });

  test("is told by llama.cpp beforehand what the input will be", async () => {
    const { url } = llama();
    const counter = new BackendCounter(async (path, body) => {
      const reply = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
      return reply.ok ? reply.json() : undefined;
    });
    const path = "/v1/chat/completions";
    const body = bodyOf(path, "How deep is the canal at its head?", false, 2);
    const result = (await exchange(url, { path, body })).meter.result();
    expect(result).toMatchObject({ kind: "reported", input: await counter.count({ ...body }) });
  });
});
