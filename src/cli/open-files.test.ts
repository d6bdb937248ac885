import { expect, it } from "vitest";

import { tooFewFiles } from "./open-files.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             127235               127235               processes
Max open files            256                  4096                 files
`;

it("says which concurrency would do where a process may open too few files", () => {
  expect(tooFewFiles(216, LIMITS)).toBeUndefined();
  expect(tooFewFiles(500, LIMITS)).toBe(
    "--concurrency 500 needs 540 open files, and this process may have 256; raise that with ulimit -n 540, or give --concurrency 216 or less",
  );
});

it("says nothing where the system does not tell, or sets no bound", () => {
  expect(tooFewFiles(10_000, "")).toBeUndefined();
  expect(tooFewFiles(10_000, LIMITS.replace(" 256 ", " unlimited "))).toBeUndefined();
});
