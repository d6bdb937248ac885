import { assert, constantFrom, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { parseReport } from "../../src/lab/report/parse.ts";
import { quietReport, sampleReport } from "./sample.ts";

const text = JSON.stringify(sampleReport({ ungated: true }));

describe("reading report.json", () => {
  it.each([
    ["with two sides", sampleReport({ ungated: true })],
    ["without answers, model and capacity", quietReport()],
  ])("gives back what was written: %s", (_, report) => {
    expect(parseReport(JSON.stringify(report))).toEqual({ kind: "parsed", report });
  });

  it.each([
    [
      "another version",
      text.replace("headgate.load/1", "headgate.load/2"),
      /^has the format headgate\.load\/2, and this version of headgate reads headgate\.load\/1: run the scenario again/,
    ],
    ["another kind of file", '{"format":"k6"}', /^is no report of headgate load: its format is "k6"$/],
    ["no format", '{"name":"x"}', /^is no report of headgate load: it has no format$/],
    ["no object", "[]", /^is no report of headgate load/],
    ["no JSON", "<html>", /^is not JSON: /],
    [
      "a figure that is no number",
      text.replace('"sent":', '"sent":"many","was":'),
      /^is no whole report: sides\.0\.total\.sent: .*number/,
    ],
    ["no sides", text.replace(/"sides":.*/s, '"sides":[]}'), /^is no whole report: sides: /],
    [
      "columns of different length",
      text.replace('"tokens_in":[', '"tokens_in":[1,'),
      /^is no whole report: sides\.0\.timeline: columns of a timeline must be of equal length/,
    ],
  ])("says what is wrong with %s", (_, broken, rule) => {
    const parsed = parseReport(broken);
    expect(parsed.kind === "invalid" ? parsed.rule : "parsed").toMatch(rule);
  });

  it("never throws, whatever is cut out of the file", () => {
    assert(
      property(nat(text.length), nat(400), constantFrom("", "null", "[]", '"x"', "-1"), (at, length, put) => {
        expect(["parsed", "invalid"]).toContain(parseReport(text.slice(0, at) + put + text.slice(at + length)).kind);
      }),
      { numRuns: 200 },
    );
  });
});
