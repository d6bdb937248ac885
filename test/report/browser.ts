import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

import { chromium, type Browser } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Starts the system's Chromium; who calls closes it. Throws where there is none, with the line that installs it. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] });
}

function findChromium(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error("Reports are tested in Chromium, and there is none: apt-get update && apt-get install -y chromium");
  }
  return found;
}
