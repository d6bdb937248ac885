import { expect, it } from "vitest";

import { readBatchFlags } from "./batch-options.ts";

const URL = "http://127.0.0.1:8080/v1";

it.each(["sk-secret\n", "sk-secret\u2026"])(
  "a key that HTTP cannot carry is a mistake, and is not shown: %j",
  (key) => {
    const read = (): unknown => readBatchFlags("in.jsonl", { url: URL }, { OPENAI_API_KEY: key });
    expect(read).toThrow(/the key in OPENAI_API_KEY must not hold/);
    expect(read).not.toThrow(/secret/);
  },
);

it.each([
  [{ url: URL, header: ["x-team: łódź"] }, 'header "x-team" must not hold characters'],
  [{ url: URL, header: ["host: h"] }, 'header "host" is set by headgate itself'],
  [{ url: `${URL}/chat/completions` }, `--url must end before the endpoint, which the rows name: ${URL}`],
  [{ url: URL, maxFailures: "some" }, "--max-failures"],
])("flags that are none are told: %j", (flags, message) => {
  expect(() => readBatchFlags("in.jsonl", flags, {})).toThrow(message);
});

it("row after row that fails stops a run after 100, another number, or never", () => {
  const read = (flags: object): unknown => readBatchFlags("in.jsonl", { url: URL, ...flags }, {}).file.maxFailures;
  expect([read({}), read({ maxFailures: "5" }), read({ maxFailures: "0" })]).toEqual([100, 5, 0]);
});
