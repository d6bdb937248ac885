import { expect, test } from "vitest";

import { keyReports } from "./consumers.ts";

test("a key is shown by the first 8 digits of its digest, with its end", () => {
  const end = Date.UTC(2027, 0, 31);
  const keys = [{ sha256: "0123456789abcdef".repeat(4) }, { sha256: "f".repeat(64), expiresAt: end }];
  expect(keyReports(keys, end - 1)).toEqual([
    { sha256_prefix: "01234567", expires_at: null, expired: false },
    { sha256_prefix: "ffffffff", expires_at: "2027-01-31T00:00:00.000Z", expired: false },
  ]);
  expect(keyReports(keys, end).map(({ expired }) => expired)).toEqual([false, true]);
  expect(JSON.stringify(keyReports(keys, end))).not.toContain("89abcdef");
});
