import { expect, test } from "vitest";
import { isSecretKey, maskSecrets } from "./mask.ts";

test.each([
  "api_key",
  "apiKey",
  "API-KEY",
  "api_kye",
  "apikey",
  "keys",
  "key",
  "password",
  "secret",
  "token",
  "Authorization",
  "access_token",
])("%s holds a secret", (key) => expect(isSecretKey(key)).toBe(true));

test.each([
  "max_inflight_tokens",
  "forward_client_credentials",
  "url",
  "models",
  "backends",
  "queue",
  "host",
  "port",
  "capacity",
  "tokens_per_hour",
  "tokenizer",
  "jwks",
  "claim",
  "expires",
  "idle",
])("%s holds no secret", (key) => expect(isSecretKey(key)).toBe(false));

test.each([
  ["api_key: hunter2 # mine", "api_key: ******* # mine"],
  ["{ url: http://a, api_key: 'hunter2', b: 1 }", "{ url: http://a, api_key: '*******', b: 1 }"],
  ["api_key hunter2", "api_key *******"],
  ['"api_key": "hunter2"', '"api_key": "*******"'],
  ['api_key: "${NIM_API_KEY:-hunter2}"', 'api_key: "${NIM_API_KEY*********}"'],
  ["url: http://user:pass@host/path", "url: http://*********@host/path"],
  ["- sk-abcdef1234567890", "- *******************"],
  ["Bearer abc.def", "Bearer *******"],
  ["max_wait: 5m", "max_wait: 5m"],
])("%s is shown as %s", (text, expected) => {
  expect(maskSecrets(text)).toBe(expected);
});

test("what the parser knows to be secret is hidden whatever it looks like, and every line keeps its length", () => {
  const text = "a: |\n  one\n  two\nb: 1\n";
  expect(maskSecrets(text, [{ start: 3, end: 17 }])).toBe("a: *\n  ***\n  ***\nb: 1\n");
});

test("a key of ours is starred wherever it stands, and a name that begins like one is not", () => {
  const key = "hg_live_0123456789abcdefghijklmnopqrstuv_Ab12Cd";
  expect(maskSecrets(`see ${key}.`)).toBe(`see ${"*".repeat(key.length)}.`);
  expect(maskSecrets("hg-live-demo-team")).toBe("hg-live-demo-team");
});
