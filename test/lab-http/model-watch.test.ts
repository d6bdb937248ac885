import { expect, onTestFinished, test } from "vitest";

import { ModelWatch, type ModelWatchOptions, resetModel } from "../../src/lab/http/model-watch.ts";
import type { ModelReading } from "../../src/lab/load/types.ts";
import { createModelServer } from "../../src/lab/model/server.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { serveWith, until } from "./kit.ts";

/** A watch on a clock that stands, and a way to wait for its next reading. */
function watch(url: string, some: Partial<ModelWatchOptions> = {}) {
  const clock = new VirtualClock();
  clock.advance(5_000);
  const waiting: ((reading: ModelReading) => void)[] = [];
  const onReading = (reading: ModelReading): void => waiting.shift()?.(reading);
  const model = new ModelWatch({ url, clock, origin: clock.now(), isSimulated: false, onReading, ...some });
  onTestFinished(() => model.stop());
  return { clock, model, next: () => new Promise<ModelReading>((resolve) => waiting.push(resolve)) };
}

test("a model is read at once and every second, and tells the most requests at once since it was read before", async () => {
  const server = createModelServer({ preset: "instant" });
  const url = `http://127.0.0.1:${await server.listen()}`;
  onTestFinished(() => server.close());
  const { clock, model, next } = watch(url, { isSimulated: true });
  expect(await next()).toMatchObject({ at: 0, running: 0, generatedTokens: 0, peak: 0, wedged: false });
  await fetch(`${url}/v1/completions`, { method: "POST", body: '{"prompt":"a b","max_tokens":3,"ignore_eos":true}' });
  const second = next();
  clock.advance(1_000);
  expect(await second).toMatchObject({ at: 1_000, promptTokens: 2, generatedTokens: 3, peak: 1 });
  clock.advance(200);
  expect(await model.read()).toMatchObject({ at: 1_200, generatedTokens: 3, peak: 0 });
  await resetModel(url);
  const fourth = next();
  clock.advance(800);
  expect(await fourth).toMatchObject({ at: 2_000, generatedTokens: 0, peak: 0 });
  expect(model.readings).toHaveLength(4);
});

test("a wedge is seen", async () => {
  const server = createModelServer({ preset: "strix-halo-235b" });
  const url = `http://127.0.0.1:${await server.listen()}`;
  onTestFinished(() => server.close());
  server.engine.wedge();
  expect(await watch(url, { isSimulated: true }).next()).toMatchObject({ wedged: true, gpu: 1 });
});

test("a page that hangs is asked for once, gives no reading, and does not keep the watch from stopping", async () => {
  const server = await serveWith(() => {});
  const { clock, model } = watch(server.url);
  await until(() => server.requests.length === 1);
  clock.advance(10_000);
  await model.stop();
  expect({ asked: server.requests.length, readings: model.readings, failures: model.failures }).toEqual({
    asked: 1,
    readings: [],
    failures: 0,
  });
  expect(clock.pending).toBe(0);
  await until(() => server.open() === 0);
});

test("a page that fails gives no reading, and the next one does", async () => {
  let isBroken = true;
  const server = await serveWith((response, request) => {
    if (isBroken) request.socket.destroy();
    else response.end("llamacpp:requests_processing 2\n");
  });
  const { clock, model, next } = watch(server.url, { page: `${server.url}/other?page=1`, timeScale: 2 });
  await until(() => model.failures === 1);
  isBroken = false;
  const reading = next();
  clock.advance(1_000);
  expect(await reading).toMatchObject({ at: 1_000, running: 2, peak: NaN, wedged: undefined });
  expect(server.requests[1]?.url).toBe("/other?page=1");
});
