/**
 * Installs what the llama backend needs, on demand: node-llama-cpp and the one prebuilt llama.cpp for this machine, some
 * 85 MB, into `server/node_modules`. The packages for graphics cards stay out, and nothing is compiled.
 */
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLockFile } from "./lock-file.ts";
import { tailOf } from "./tail.ts";

/** Where the backend lives, and where its packages go. */
export const SERVER_DIRECTORY = fileURLToPath(new URL("./server", import.meta.url));

export type LlamaInstallation =
  | { readonly kind: "ready"; readonly version: string; readonly platform: string }
  | { readonly kind: "skipped"; readonly why: string };

/** Prebuilt packages by `platform-arch`, as Node names them. */
const PREBUILT: Readonly<Record<string, string>> = {
  "linux-x64": "@node-llama-cpp/linux-x64",
  "linux-arm64": "@node-llama-cpp/linux-arm64",
  "darwin-x64": "@node-llama-cpp/mac-x64",
  "darwin-arm64": "@node-llama-cpp/mac-arm64-metal",
  "win32-x64": "@node-llama-cpp/win-x64",
  "win32-arm64": "@node-llama-cpp/win-arm64",
};

/** Written last, so that its presence means a whole installation. */
const STAMP = join(SERVER_DIRECTORY, "node_modules", ".headgate-installed");
const LOCK = join(SERVER_DIRECTORY, "node_modules", ".headgate-installing");
const INSTALL_TIMEOUT_MS = 300_000;

const NPM_OPTIONS = [
  "--no-save",
  "--no-audit",
  "--no-fund",
  "--ignore-scripts",
  // Every platform's package is an optional dependency of node-llama-cpp. The one that is needed gets asked for by name.
  "--omit=optional",
  // One quick retry: without a network, npm's own patience makes every run of the tests minutes longer.
  "--prefer-offline",
  "--fetch-retries=1",
  "--fetch-retry-mintimeout=500",
  "--fetch-retry-maxtimeout=1000",
];

/** What npm says when the registry is out of reach, which is not the fault of anything here. */
const OUT_OF_REACH =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/;

let ongoing: Promise<LlamaInstallation> | undefined;

/**
 * Makes sure that the backend can start. Quick when it could before. Any number of test files may call at the same time:
 * one installs and the others wait for it.
 */
export function ensureLlama(): Promise<LlamaInstallation> {
  ongoing ??= install();
  return ongoing;
}

async function install(): Promise<LlamaInstallation> {
  const platform = PREBUILT[`${process.platform}-${process.arch}`];
  if (platform === undefined) return skip(`llama.cpp has no prebuilt package for ${process.platform}-${process.arch}`);
  if (process.platform === "linux" && !hasGlibc()) return skip("llama.cpp's prebuilt packages for Linux need glibc");

  const version = await pinnedVersion();
  const wanted = `${version} ${platform}`;
  if ((await readStamp()) === wanted) return { kind: "ready", version, platform };
  return withLockFile(LOCK, async () => {
    if ((await readStamp()) === wanted) return { kind: "ready", version, platform };
    const problem = await runNpm(`${platform}@${version}`);
    if (problem !== undefined) return skip(problem);
    await writeFile(STAMP, wanted);
    return { kind: "ready", version, platform };
  });
}

function skip(why: string): LlamaInstallation {
  process.stderr.write(`The llama tests are skipped: ${why}.\n`);
  return { kind: "skipped", why };
}

/** Resolves with the reason when the registry cannot be reached, and rejects when npm fails for any other. */
function runNpm(platformPackage: string): Promise<string | undefined> {
  const npm = spawn("npm", ["install", "--prefix", SERVER_DIRECTORY, ...NPM_OPTIONS, platformPackage], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: INSTALL_TIMEOUT_MS,
    // On Windows npm is a script, which only a shell can start.
    shell: process.platform === "win32",
  });
  const errors = tailOf(npm.stderr);
  return new Promise((resolve, reject) => {
    npm.once("error", (cause) => reject(new Error("npm did not start", { cause })));
    npm.once("close", (code, signal) => {
      if (code === 0) return resolve(undefined);
      if (OUT_OF_REACH.test(errors())) return resolve("the npm registry cannot be reached");
      reject(new Error(`npm ended with ${code ?? signal}:\n${errors()}`));
    });
  });
}

async function pinnedVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(SERVER_DIRECTORY, "package.json"), "utf8"));
  return (manifest as { dependencies: { "node-llama-cpp": string } }).dependencies["node-llama-cpp"];
}

async function readStamp(): Promise<string | undefined> {
  return readFile(STAMP, "utf8").catch(() => undefined);
}

/** False on musl, as in Alpine Linux. */
function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}
