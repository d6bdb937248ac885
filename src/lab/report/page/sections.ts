import type { FigureKey } from "../tables/figures.ts";
import { checkTable } from "../tables/checks.ts";
import { glance, type Tile } from "../tables/glance.ts";
import {
  generatorTable,
  latencyTable,
  matrixTable,
  modelTable,
  phaseTable,
  failureTable,
  refusalTable,
  timesTable,
} from "../tables/side.ts";
import { consumerTable } from "../tables/consumers.ts";
import { UNKNOWN } from "../numbers.ts";
import type { Report, Side } from "../types.ts";
import { wedgeText } from "../verdict.ts";
import { escapeHtml, foldedTable, htmlTable } from "./html.ts";

const PHASE_KEYS: readonly FigureKey[] = [
  "sent",
  "served",
  "success",
  "satisfied",
  "refused",
  "broken",
  "left",
  "perMinute",
  "floor",
  "utilization",
  "goodput",
];

const TIME_KEYS: readonly FigureKey[] = [
  "ttftP50",
  "ttftP99",
  "itlP50",
  "itlP99",
  "e2eP50",
  "e2eP99",
  "queueP99",
  "tokensIn",
  "tokensOut",
  "promptSpeed",
  "generationSpeed",
];

const CONSUMER_KEYS: readonly FigureKey[] = [
  "sent",
  "served",
  "success",
  "satisfied",
  "refused",
  "broken",
  "left",
  "perMinute",
  "worst",
  "floor",
  "goodput",
  "ttftP50",
  "ttftP99",
  "e2eP50",
  "e2eP99",
  "queueP99",
];

const MOST_OPEN_ROWS = 40;
const MOST_OPEN_CHECKS = 14;

/** The big numbers, a column for each side. */
export function glanceSection(report: Report): string {
  const tiles = report.sides.map(glance);
  // What is unknown on all sides is no news.
  const isKnown = (_: Tile, index: number): boolean => tiles.some((side) => side[index]?.value !== UNKNOWN);
  return `<section><h2>At a glance</h2><div class="sides n${report.sides.length}">${report.sides
    .map((side, index) => {
      const shown = tiles[index]?.filter(isKnown) ?? [];
      return `<div class="side">${sideTitle(report, side)}<div class="tiles">${shown.map(tileHtml).join("")}</div></div>`;
    })
    .join("\n")}</div></section>`;
}

/** What was asserted, and what was seen. */
export function checkSection(report: Report): string {
  const tables = report.sides.map((side) => {
    const failed = side.checks.filter((check) => !check.ok).length;
    const name = report.sides.length > 1 ? `${side.name}: ` : "";
    const table = checkTable(`${name}${side.checks.length - failed} of ${side.checks.length} hold`, side.checks);
    return failed === 0 && table.rows.length > MOST_OPEN_CHECKS ? foldedTable(table) : htmlTable(table);
  });
  return tables.every((table) => table === "")
    ? ""
    : `<section><h2>Checks</h2><div class="sides n${report.sides.length}">${tables.map((table) => `<div>${table}</div>`).join("\n")}</div></section>`;
}

/** All figures. */
export function tableSections(report: Report): string {
  const sides = report.sides.map((side) => {
    const matrix = matrixTable(side, CONSUMER_KEYS);
    return `<section class="tables">${report.sides.length > 1 ? `<h2>Figures: ${escapeHtml(side.name)}</h2>` : "<h2>Figures</h2>"}
${[phaseTable(side, PHASE_KEYS), timesTable(side, TIME_KEYS), consumerTable(side, CONSUMER_KEYS)].map(htmlTable).join("\n")}
${matrix.rows.length > MOST_OPEN_ROWS ? foldedTable(matrix) : htmlTable(matrix)}
${[latencyTable(side), refusalTable(side), failureTable(side), modelTable(side)].map(htmlTable).join("\n")}
</section>`;
  });
  return `${sides.join("\n")}
<section class="tables">${htmlTable(generatorTable(report))}
<p class="notes">A floor is judged in every window of ${report.scenario.window_s} s: what was admitted, of the reservation or of what was asked
of it if that was less. Latency counts from when a request was meant to go out. An answer that was cut off is not served. TTFT: time to first token; ITL: time between
two pieces of an answer; e2e: time to the last token.</p></section>`;
}

/** A side's name where there are several, in red where its GPU wedged. */
export function sideTitle(report: Report, side: Side): string {
  const wedge = wedgeText(side);
  const alarm = wedge === null ? "" : ` <span class="alarm">GPU wedged</span>`;
  if (report.sides.length === 1 && wedge === null) return "";
  return `<h3 class="side-title${wedge === null ? "" : " wedged"}">${escapeHtml(side.name)}${alarm}</h3>`;
}

function tileHtml({ label, value, note, tone }: Tile): string {
  return `<div class="tile ${tone}"><span class="label">${escapeHtml(label)}</span><span class="value">${escapeHtml(value)}</span><span class="note">${escapeHtml(note)}</span></div>`;
}
