import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BENCH = fileURLToPath(new URL("..", import.meta.url));

/**
 * Compiles the processes of the bench, and the gate with them, into `bench/dist`: file by file with the settings of the
 * package, so that what is measured is what is published, and `dist/` stays as it is for whoever uses it meanwhile.
 */
export function build(): void {
  for (const folder of ["bench", "src"]) rmSync(`${BENCH}dist/${folder}`, { recursive: true, force: true });
  const compiler = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  execFileSync(process.execPath, [compiler, "-p", `${BENCH}tsconfig.build.json`], { stdio: "inherit" });
}
