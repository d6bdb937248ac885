import { execFileSync } from "node:child_process";

/** Builds `dist/` once for all tests that look at what users get. */
export function setup(): void {
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
}
