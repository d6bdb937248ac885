import { formatSpan } from "../numbers.ts";
import type { Report } from "../types.ts";
import { alarmOf, judgedSides, verdictOf, verdictText } from "../verdict.ts";
import { escapeHtml } from "./html.ts";

/** Which scenario, against what, when, how, and what became of it. */
export function headline(report: Report): string {
  const { scenario } = report;
  const verdict = verdictOf(report);
  const facts: readonly [string, string][] = [
    ["Against", scenario.target],
    ["Begun", `${report.started.slice(0, 16).replace("T", " ")} UTC`],
    [
      "Lasted",
      `${formatSpan(report.sides[0]?.duration_s ?? 0)}${scenario.mode === "virtual" ? " of virtual time" : ""}`,
    ],
    ["Speed", `${scenario.speed}×`],
    ["Seed", String(scenario.seed)],
    ["Headgate", report.headgate],
  ];
  return `<header>
<p class="eyebrow">Load test${scenario.mode === "virtual" ? ", simulated in virtual time" : ""}</p>
<h1>${escapeHtml(scenario.name)}</h1>
<p class="lead">${escapeHtml(scenario.description)}</p>
<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`).join("")}</dl>
<p class="verdict ${verdict.kind}"><strong>${escapeHtml(capitalize(verdictText(verdict)))}</strong>${escapeHtml(aside(report))}</p>
</header>`;
}

/** What a reader must know of the sides that do not make the verdict, and of GPUs that wedged. */
function aside(report: Report): string {
  const judged = judgedSides(report);
  const several = report.sides.length > 1;
  const parts = [
    ...(several && judged.length < report.sides.length
      ? [`Judged: ${judged.map(({ name }) => name).join(", ")}.`]
      : []),
    ...report.sides.flatMap((side) => {
      const alarm = alarmOf(side);
      return alarm === null ? [] : [several ? `${capitalize(side.name)}: ${alarm}.` : `${capitalize(alarm)}.`];
    }),
  ];
  return parts.length === 0 ? "" : ` ${parts.join(" ")}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
