import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** What the page needs beside its figures. */
export interface Assets {
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

/** The page's modules, each before those that import it. */
const MODULES = [
  "format",
  "theme",
  "series",
  "phases",
  "chart",
  "time-chart",
  "consumer-charts",
  "latency-charts",
  "model-charts",
  "charts",
  "main",
];

/** Where web/report/ lies, from src/lab/report/page as from dist/lab/report/page. */
const FOLDER = new URL("../../../../web/report/", import.meta.url);

/** Reads styles and scripts from this package and from uPlot. Throws where the installation lacks them. */
export function readAssets(): Assets {
  const require = createRequire(import.meta.url);
  const uplot = (name: string): string => readFileSync(require.resolve(`uplot/dist/${name}`), "utf8");
  const own = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");
  return {
    styles: [uplot("uPlot.min.css"), own("colors.css"), own("page.css")],
    scripts: [uplot("uPlot.iife.min.js"), joinModules(MODULES.map((name) => own(`${name}.js`)))],
  };
}

/**
 * Modules as one classic script, so that a page opened from disk runs it. They import by plain names from each other only,
 * and no two of them have a name in common; so it is enough to leave `import` and `export` out.
 */
function joinModules(sources: readonly string[]): string {
  const parts = sources.map((source) => source.replace(/^import [^;]*;$/gm, "").replace(/^export /gm, ""));
  return `(() => {\n"use strict";\n${parts.join("\n")}\n})();`;
}
