import { describe, expect, it } from "vitest";

import type { ProxyStats } from "../../gateway/index.ts";
import { paletteFor } from "../terminal.ts";
import { bar, frame, plainLine, rate } from "./frame.ts";

const palette = paletteFor(false);

describe("the live view", () => {
  it("shows seats, waiting, throughput, waits and who has them", () => {
    expect(frame({ stats: busy(), perSecond: 2.5, columns: 100 }, palette).join("\n")).toMatchInlineSnapshot(`
      "  seats       ██████████████████████████████  5 of 5
        waiting     ██████░░░░░░░░░░░░░░░░░░░░░░░░  12 of 64
        throughput  2.5 answers/s, 1,234 in all, 3 refused
        wait        p50 12ms  p95 2.1s  p99 1m 1s
        10.0.0.7                 1 in seats, 10 waiting
        10.0.0.8                 4 in seats, 2 waiting"
    `);
  });

  it("cuts its lines to the width of the terminal, so that drawing in place works", () => {
    const lines = frame({ stats: busy(), perSecond: 2.5, columns: 20 }, paletteFor(true));
    // oxlint-disable-next-line no-control-regex -- colours take no room
    expect(lines.map((line) => line.replace(/\u001B\[\d+m/g, "").length).every((length) => length <= 20)).toBe(true);
  });

  it("is one plain line where there is no terminal", () => {
    expect(plainLine({ stats: busy(), perSecond: 2.5, columns: 0 })).toBe(
      "seats 5/5  waiting 12  2.5 answers/s  1234 completed",
    );
  });

  it("draws an empty bar for none and at least one block for one", () => {
    expect(bar(0, 5, palette)).not.toContain("█");
    expect(bar(1, 1000, palette)).toContain("█");
    expect(bar(0, 0, palette)).not.toContain("█");
  });

  it("takes no time at all as no rate", () => {
    expect(rate(0, 10, 0)).toBe(0);
    expect(rate(10, 20, 2_000)).toBe(5);
  });
});

function busy(): ProxyStats {
  const member = (
    name: string,
    inFlight: number,
    waiting: number,
  ): ProxyStats["deployments"][string]["members"][number] => ({
    name,
    in_flight: inFlight,
    waiting,
    admitted: 0,
    refused: 0,
    mean_ms: 0,
    owes_ms: 0,
  });
  return {
    version: "0.0.0",
    uptime_seconds: 1,
    state: "serving",
    seats: 5,
    in_flight: 5,
    waiting: 12,
    admitted: 1_239,
    refused: { queue_full: 3 },
    outcomes: { completed: 1_234 },
    open: 17,
    buffered_bytes: 0,
    deployments: {
      default: {
        seats: 5,
        in_flight: 5,
        waiting: 12,
        queue_length: 64,
        tokens_in_flight: 0,
        max_inflight_tokens: null,
        admitted: 1_239,
        refused: { queue_full: 3 },
        left_while_waiting: 0,
        outcomes: { completed: 1_234 },
        late_settlements: 0,
        wait_ms: { p50: 12, p95: 2_100, p99: 61_000, samples: 1_024 },
        unseated: { places: 16, in_flight: 0, waiting: 0, admitted: 0 },
        allotment: null,
        members: [member("10.0.0.7", 1, 10), member("10.0.0.8", 4, 2), member("10.0.0.9", 0, 0)],
        backends: [],
      },
    },
  };
}
