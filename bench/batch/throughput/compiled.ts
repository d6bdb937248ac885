import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const DIST = `${ROOT}bench/dist/batch/`;

/** The processes of this bench, compiled as they are published. */
export const COMPILED = { cli: `${DIST}src/cli/index.js`, server: `${DIST}bench/batch/throughput/server.js` } as const;

/** Compiles the runner and the server. */
export function build(): void {
  rmSync(DIST, { recursive: true, force: true });
  const project = `${ROOT}bench/batch/throughput/tsconfig.build.json`;
  execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, "-p", project], { stdio: "inherit" });
  copyFileSync(`${ROOT}package.json`, `${DIST}package.json`);
}
