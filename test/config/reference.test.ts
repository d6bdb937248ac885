import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { referencePage } from "../../src/config/index.ts";

test("docs/reference/configuration.md is what the schema says", async () => {
  const page = new URL("../../docs/reference/configuration.md", import.meta.url);
  expect(await readFile(page, "utf8")).toBe(referencePage());
});

test("every key is explained", () => {
  const sections = referencePage().split("\n### ").slice(1);
  expect(sections.length).toBeGreaterThan(20);
  for (const section of sections) expect(section).toMatch(/^`[^`]+`\n\n[A-Z"`][^]{10,}\n\n- value: /);
});
