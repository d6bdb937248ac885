// Emits dist/ one file to one file: no bundler, so stack traces match the source. Then schema/, for editors.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
chmodSync("dist/cli/index.js", 0o755);

// The schema for editors, from the same zod schema that reads the file.
const { jsonSchema } = await import("../dist/config/index.js");
mkdirSync("schema", { recursive: true });
writeFileSync("schema/headgate.schema.json", `${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
