import { guaranteeOf, shownConsumers } from "../tables/consumers.ts";
import type { Report, Side } from "../types.ts";
import { escapeHtml } from "./html.ts";
import { sideTitle } from "./sections.ts";

interface Chart {
  readonly kind: string;
  readonly side: number;
  readonly title: string;
  /** What its numbers are; beside the title. */
  readonly unit: string;
  readonly consumers?: readonly number[];
}

/** Places for the charts, which web/report/ fills. */
export function chartSections(report: Report): string {
  const latencies = [
    { kind: "ttft", title: "Time to first token", values: report.sides.map(({ distributions }) => distributions.ttft) },
    { kind: "itl", title: "Time between tokens", values: report.sides.map(({ distributions }) => distributions.itl) },
    { kind: "e2e", title: "Whole answer", values: report.sides.map(({ distributions }) => distributions.e2e) },
  ].filter(({ values }) => values.some(({ ms }) => ms.length > 0));
  return [
    section(
      "Who got what",
      "Served per minute, against the floor and what a fair share of the capacity would be.",
      servedCharts(report),
    ),
    section(
      "Asked, served, refused",
      "All consumers together, stacked.",
      perSide(report, "flow", "Requests", "per minute"),
    ),
    section(
      "How fast",
      "Left is faster. Time counts from when a request was meant to go out.",
      `<div class="grid n${latencies.length}">${latencies
        .map(({ kind, title }) => chartHtml({ kind, side: 0, title, unit: "answers within" }))
        .join("\n")}</div>${perSide(report, "latency", "Latency over time", "median to p99, logarithmic")}`,
    ),
    section("The model", "By its own count.", modelCharts(report)),
  ].join("\n");
}

function servedCharts(report: Report): string {
  const { alone, together } = shownConsumers(report.sides);
  const groups = [...alone.map((index) => [index]), ...(together.length > 0 ? [together] : [])];
  const charts = groups.flatMap((consumers) =>
    report.sides.map((side, index) =>
      chartHtml({ ...titleOf(side, consumers), kind: "served", side: index, consumers }),
    ),
  );
  return grid(report, charts, groups.length === 2 || groups.length === 4 ? 2 : 3);
}

function titleOf(side: Side, consumers: readonly number[]): Pick<Chart, "title" | "unit"> {
  const [first = 0] = consumers;
  if (consumers.length > 1) return { title: `${consumers.length} others`, unit: "requests per minute, together" };
  const name = side.timeline.consumers[first]?.name ?? "";
  const guarantee = guaranteeOf(side, name);
  return { title: name, unit: `${guarantee === "" ? "" : `${guarantee} · `}requests per minute` };
}

function modelCharts(report: Report): string {
  const kinds: readonly (readonly [string, string, string])[] = [
    ["running", "Requests at the model", "at once"],
    ["gpu", "GPU and KV cache", ""],
    ["tokens", "Tokens", "per minute"],
  ];
  const charts = kinds.flatMap(([kind, title, unit]) =>
    report.sides.map((_, side) => chartHtml({ kind, side, title, unit })),
  );
  return grid(report, charts, 3);
}

/** One chart for each side, side by side. */
function perSide(report: Report, kind: string, title: string, unit: string): string {
  return grid(
    report,
    report.sides.map((_, side) => chartHtml({ kind, side, title, unit })),
    1,
  );
}

/** Charts in rows: a column for each side where there are several, else so many as fit. */
function grid(report: Report, charts: readonly string[], columns: number): string {
  const several = report.sides.length > 1;
  const titles = several ? report.sides.map((side) => `<div class="grid-title">${sideTitle(report, side)}</div>`) : [];
  const count = several ? report.sides.length : columns;
  return `<div class="grid n${count}${several ? " paired" : ""}">${[...titles, ...charts].join("\n")}</div>`;
}

function chartHtml({ kind, side, title, unit, consumers }: Chart): string {
  const who = consumers === undefined ? "" : ` data-consumers="${consumers.join(",")}"`;
  return `<figure><figcaption><b>${escapeHtml(title)}</b> <span>${escapeHtml(unit)}</span></figcaption>
<div class="plot ${kind}" data-chart="${kind}" data-side="${side}"${who}></div></figure>`;
}

function section(title: string, lead: string, body: string): string {
  return `<section class="charts"><h2>${title}</h2><p class="notes">${lead}</p>${body}
<noscript><p class="notes">Charts need scripts; the tables below have all figures.</p></noscript></section>`;
}
