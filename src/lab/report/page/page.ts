import { createHash } from "node:crypto";

import { comparisonWithArticle } from "../article/comparison.ts";
import type { Report } from "../types.ts";
import { readAssets } from "./assets.ts";
import { escapeHtml, htmlTable, scriptJson } from "./html.ts";
import { chartSections } from "./charts.ts";
import { headline } from "./headline.ts";
import { checkSection, glanceSection, tableSections } from "./sections.ts";

/**
 * The report as one HTML page that needs nothing else: styles, scripts and figures stand in it. A policy in its head forbids
 * it every other script and every connection. Without scripts its tables say everything that its charts show.
 */
export function renderPage(report: Report): string {
  const { styles, scripts } = readAssets();
  const style = styles.join("\n");
  const article = comparisonWithArticle(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(style, scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(report.scenario.name)} – Headgate load test</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
${headline(report)}
${glanceSection(report)}
${chartSections(report)}
${checkSection(report)}
${article.length === 0 ? "" : `<section><h2>Beside the article</h2>${article.map(htmlTable).join("\n")}</section>`}
${tableSections(report)}
</main>
<script type="application/json" id="report">${scriptJson(report)}</script>
${scripts.map((script) => `<script>${script}</script>`).join("\n")}
</body>
</html>
`;
}

function policy(style: string, scripts: readonly string[]): string {
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return `default-src 'none'; img-src data:; style-src ${hash(style)}; script-src ${scripts.map(hash).join(" ")}`;
}
