import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../src/config/index.ts";
import { COMPLETE, configOf, report } from "./kit.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "headgate-config-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(folder, "headgate.yaml");
  await writeFile(path, content);
  return path;
}

async function answer(path: string): Promise<string> {
  return report(await readConfig(path, {})).replaceAll(folder, "…");
}

test("a file is read and its variables are filled", async () => {
  const config = configOf(await readConfig(await file(COMPLETE), { NIM_API_KEY: "k3y" }));
  expect(config.deployments[0]?.backends[0]?.apiKey).toBe("k3y");
});

test("a problem carries the path as it was given", async () => {
  const path = await file("deployments: 5\n");
  const result = await readConfig(path, {});
  expect(result).toMatchObject({ kind: "invalid", problems: [{ file: path, line: 1, column: 14 }] });
});

test("a file that is not there", async () => {
  expect(await answer(join(folder, "nothing.yaml"))).toMatchInlineSnapshot(`
    "…/nothing.yaml  does not exist
      hint: without a file: headgate serve --backend http://localhost:8081"
  `);
});

test("a path through a file", async () => {
  expect(await answer(join(await file(""), "headgate.yaml"))).toMatchInlineSnapshot(`
    "…/headgate.yaml/headgate.yaml  does not exist
      hint: without a file: headgate serve --backend http://localhost:8081"
  `);
});

test("a directory", async () => {
  expect(await answer(folder)).toMatchInlineSnapshot(`
    "…  is a directory
      hint: name the file in it"
  `);
});

test("text that is not UTF-8", async () => {
  expect(await answer(await file(Uint8Array.of(0xff, 0xfe, 0x61, 0)))).toMatchInlineSnapshot(`
    "…/headgate.yaml  is not UTF-8 text
      hint: save it in UTF-8"
  `);
});

test("a file that is too big", async () => {
  expect(await answer(await file("#".repeat(1_000_001)))).toMatchInlineSnapshot(
    `"…/headgate.yaml  is larger than 1MB, which no configuration is"`,
  );
});

test("a path that no file can have", async () => {
  expect(await answer("a\0b")).toMatchInlineSnapshot(`"a\\u{0}b  cannot be read (ERR_INVALID_ARG_VALUE)"`);
});
