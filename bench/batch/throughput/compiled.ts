import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const DIST = `${ROOT}bench/dist/batch/`;

const SERVER = relative(ROOT, fileURLToPath(new URL("server.ts", import.meta.url))).replace(/ts$/, "js");

/** The processes of this bench, compiled as they are published. */
export const COMPILED = { cli: `${DIST}src/cli/index.js`, server: `${DIST}${SERVER}` } as const;

/** Compiles the runner and the server. */
export function build(): void {
  rmSync(DIST, { recursive: true, force: true });
  const project = `${ROOT}bench/batch/throughput/tsconfig.build.json`;
  execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, "-p", project], { stdio: "inherit" });
  copyFileSync(`${ROOT}package.json`, `${DIST}package.json`);
}
