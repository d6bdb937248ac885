import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { renderPage } from "../../src/lab/report/page/page.ts";
import type { Report } from "../../src/lab/report/types.ts";
import { startBrowser } from "./browser.ts";
import { quietReport, sampleReport } from "./sample.ts";

const SCHEMES = ["light", "dark"] as const;
const WIDTHS = [1_280, 800];
const REPORTS: Readonly<Record<string, Report>> = {
  "one side": sampleReport(),
  "with and without the gate": sampleReport({ ungated: true }),
  "fourteen consumers": sampleReport({ users: 10 }),
  "no answer and no model": quietReport(),
};

interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** What the browser complained of, and what it asked the network for. */
  readonly complaints: readonly string[];
}

describe("the page of a report", () => {
  let browser: Browser;
  let folder = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "headgate-page-"));
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(report: Report, scheme: "light" | "dark", width: number, scripts = true): Promise<Opened> {
    const file = join(folder, "report.html");
    writeFileSync(file, renderPage(report));
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      javaScriptEnabled: scripts,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("request", (request) => {
      if (request.url() !== pathToFileURL(file).href && !request.url().startsWith("data:"))
        complaints.push(`request: ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  for (const [name, report] of Object.entries(REPORTS)) {
    for (const scheme of SCHEMES) {
      for (const width of WIDTHS) {
        it(`opens from disk without a complaint and fits: ${name}, ${scheme}, ${width} pixels`, async () => {
          await using opened = await open(report, scheme, width);
          expect(await opened.page.evaluate("document.documentElement.scrollWidth")).toBe(width);
          expect(await blankCharts(opened.page)).toEqual([]);
          expect(opened.complaints).toEqual([]);
        });
      }
    }
  }

  it("has a chart for every place", async () => {
    await using opened = await open(sampleReport({ ungated: true }), "light", 1_280);
    // Per side: 4 consumers, requests, latency, and 3 of the model; 3 distributions for both sides.
    expect(await opened.page.locator(".plot canvas").count()).toBe(2 * 9 + 3);
    expect(await opened.page.locator(".plot").count()).toBe(2 * 9 + 3);
  });

  it("draws what was served in its own colour", async () => {
    await using opened = await open(sampleReport(), "light", 1_280);
    const pixels = await opened.page.evaluate(`(() => {
      const canvas = document.querySelector(".plot.served canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) if (data[at] < 8 && Math.abs(data[at + 1] - 0x72) < 8 && Math.abs(data[at + 2] - 0xb2) < 8) count++;
      return count;
    })()`);
    expect(pixels).toBeGreaterThan(300);
  });

  it("can tell a blank chart", async () => {
    await using opened = await open(sampleReport(), "light", 1_280);
    await opened.page.evaluate("(() => { const [c] = document.querySelectorAll('canvas'); c.width = c.width; })()");
    expect(await blankCharts(opened.page)).toEqual(["served"]);
  });

  it("is drawn anew in other colours when the system's change", async () => {
    await using opened = await open(sampleReport(), "light", 1_280);
    const light = await opened.page.evaluate("document.querySelector('canvas').toDataURL()");
    await opened.page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(() => opened.page.evaluate("document.querySelector('canvas').toDataURL()")).not.toBe(light);
    expect(opened.complaints).toEqual([]);
  });

  it("says the values under the pointer, in every time chart at once", async () => {
    await using opened = await open(sampleReport(), "light", 1_280);
    await opened.page.locator(".plot.served .u-over").first().hover();
    const legends = await opened.page.locator(".plot.served .u-legend").allInnerTexts();
    expect(legends).toHaveLength(4);
    for (const legend of legends)
      expect(legend.replaceAll(/\s+/g, " ")).toMatch(
        /8:\d\d, (?:heavy|extreme) overload entitled to\d+ served\d+ floor\d+/,
      );
  });

  it("shows hostile names as text", async () => {
    const hostile = `</script><script>document.title="taken"</script>`;
    const names = [hostile, `"'><img src=x onerror=alert(1)>`, "a&amp;b", "<!--"];
    const sample = sampleReport({ names });
    await using opened = await open({ ...sample, scenario: { ...sample.scenario, name: hostile } }, "light", 1_280);
    expect(await opened.page.locator("h1").innerText()).toBe(hostile);
    expect(await opened.page.locator("figcaption b").allInnerTexts()).toEqual(expect.arrayContaining(names));
    expect(await opened.page.title()).toContain(hostile);
    expect(await opened.page.locator("img").count()).toBe(0);
    expect(await blankCharts(opened.page)).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  it("forbids itself every script and connection that did not come with it", async () => {
    await using opened = await open(sampleReport(), "light", 1_280);
    await opened.page.evaluate(
      "(() => { const s = document.createElement('script'); s.textContent = 'window.taken = 1'; document.body.append(s); })()",
    );
    await opened.page.evaluate("fetch('http://127.0.0.1:1/').catch(() => {})");
    expect(await opened.page.evaluate("window.taken")).toBeUndefined();
    expect(opened.complaints.join("\n")).toContain("Content Security Policy");
    expect(opened.complaints.filter((complaint) => complaint.startsWith("request"))).toEqual([]);
  });

  it("says all its figures without scripts", async () => {
    await using opened = await open(sampleReport({ ungated: true }), "light", 1_280, false);
    const text = await opened.page.locator("main").innerText();
    for (const part of [
      "Passed: all 7 checks hold",
      "GPU wedged in heavy overload",
      "agent-a",
      "capacity_reserved",
      "Charts need scripts",
    ])
      expect(text).toContain(part);
    expect(await opened.page.locator(".plot:visible").count()).toBe(0);
  });

  it("prints light, open and within the paper's width", async () => {
    await using opened = await open(sampleReport({ users: 10 }), "dark", 1_280);
    await opened.page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await opened.page.evaluate("document.querySelectorAll('details:not([open])').length")).toBe(0);
    expect(await opened.page.evaluate("document.querySelector('main').scrollWidth")).toBeLessThanOrEqual(1_040);
    expect(await opened.page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(await blankCharts(opened.page)).toEqual([]);
  });

  it("says in red that a run is invalid, and why", async () => {
    const validity = { valid: false, reasons: ["requests went out 812ms late (p99)"] };
    await using opened = await open({ ...sampleReport(), validity }, "light", 1_280);
    expect(await opened.page.locator(".verdict.invalid").innerText()).toBe(
      "INVALID: requests went out 812ms late (p99)",
    );
  });
});

/** Kinds of the charts whose canvas has a single colour. */
async function blankCharts(page: Page): Promise<unknown> {
  return await page.evaluate(`[...document.querySelectorAll(".plot canvas")].filter((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set();
    for (let at = 0; at < data.length; at += 4) colors.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return colors.size < 3;
  }).map((canvas) => canvas.closest(".plot").dataset.chart)`);
}
