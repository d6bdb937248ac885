/** The cap holds where it matters: at a backend that computes the streams together. */
import { expect, test } from "vitest";

import { anthropicAt, ask, describeBackends, inFrontOf, openaiAt, openGate } from "./support.ts";

describeBackends((backend) => {
  test("of twelve streams at once three run at the backend, never more, and all are complete", async () => {
    await using gate = await openGate(inFrontOf(backend(), { max_concurrent: 3 }));
    const { completions } = openaiAt(gate).chat;
    const { messages } = anthropicAt(gate);
    const begin = (seed: number, max_tokens: number) => {
      const request = { ...ask("any"), seed, max_tokens };
      if (seed % 2 === 1) {
        const stream = messages.stream(request);
        return {
          begun: stream.emitted("streamEvent"),
          tokens: async () => (await stream.finalMessage()).usage.output_tokens,
        };
      }
      const stream = completions.stream({ ...request, stream_options: { include_usage: true } });
      return { begun: stream.emitted("chunk"), tokens: async () => (await stream.totalUsage()).completion_tokens };
    };
    const long = [1, 2, 3].map((seed) => begin(seed, 2_000));
    await Promise.all(long.map(({ begun }) => begun));
    const short = [4, 5, 6, 7, 8, 9, 10, 11, 12].map((seed) => begin(seed, 60));
    const tokens = await Promise.all([...long, ...short].map(({ tokens }) => tokens()));
    expect(tokens).toEqual([...long.map(() => 2_000), ...short.map(() => 60)]);
    expect(await backend().idle()).toMatchObject({ completed: 12, aborted: 0, maxConcurrent: 3 });
    expect(gate.stats()).toMatchObject({ admitted: 12, refused: {}, outcomes: { completed: 12 } });
  });
});
