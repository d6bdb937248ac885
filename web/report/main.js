// @ts-check
import { draw } from "./chart.js";
import { chartFor } from "./charts.js";

/** Width in which a page is laid out for paper. */
const PAPER_WIDTH = "1040px";

/** @type {uPlot[]} */
let drawn = [];

/** Draws every chart of the page anew, in the colours and widths of the moment. */
function drawAll() {
  for (const plot of drawn) plot.destroy();
  drawn = [...document.querySelectorAll(".plot")].flatMap((host) => {
    if (!(host instanceof HTMLElement)) return [];
    const spec = chartFor(report, {
      kind: host.dataset["chart"] ?? "",
      side: Number(host.dataset["side"] ?? 0),
      consumers: (host.dataset["consumers"] ?? "").split(",").map(Number),
    });
    if (spec === null) {
      host.textContent = "The model was not seen.";
      return [];
    }
    return [draw(host, spec)];
  });
}

/** @returns {import("./format.js").Report} */
function readReport() {
  return JSON.parse(document.getElementById("report")?.textContent ?? "");
}

const report = readReport();
document.documentElement.classList.add("drawn");
drawAll();

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

let width = document.documentElement.clientWidth;
addEventListener("resize", () => {
  if (document.documentElement.classList.contains("paper") || width === document.documentElement.clientWidth) return;
  width = document.documentElement.clientWidth;
  drawAll();
});

// On paper everything is open, light, and as wide as paper is.
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("paper");
  document.body.style.width = PAPER_WIDTH;
  for (const details of document.querySelectorAll("details")) details.open = true;
  drawAll();
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("paper");
  document.body.style.width = "";
  drawAll();
});
