import { describe, expect, it } from "vitest";

import * as batch from "../../src/batch/index.ts";
import * as core from "../../src/core/index.ts";
import * as gateway from "../../src/gateway/index.ts";
import * as root from "../../src/index.ts";
import * as testing from "../../src/testing/index.ts";

/** Whoever changes these lists changes what users may import; say so in CHANGELOG.md. */
describe("the public surface", () => {
  it("of headgate is this list", () => {
    expect(Object.keys(root).sort()).toMatchInlineSnapshot(`
      [
        "Gate",
        "OUTCOMES",
        "SILENT_LOG",
        "createGateway",
        "formatProblems",
        "parseConfig",
        "readConfig",
        "simpleConfig",
        "systemClock",
      ]
    `);
  });

  it("of headgate/batch is this list", () => {
    expect(Object.keys(batch).sort()).toMatchInlineSnapshot(`
      [
        "BatchStoppedError",
        "LimitExceededError",
        "LimiterClosedError",
        "RateLimiter",
        "limitedFetch",
        "minimumDurationMs",
        "openBatch",
        "parseLimit",
        "runBatch",
      ]
    `);
  });

  it("of headgate/core is this list", () => {
    expect(Object.keys(core).sort()).toMatchInlineSnapshot(`
      [
        "FairQueue",
        "OUTCOMES",
        "POOL",
        "Shares",
        "createRandom",
        "endingOf",
        "estimateTokens",
        "measureJson",
      ]
    `);
  });

  it("of headgate/gateway is this list", () => {
    expect(Object.keys(gateway).sort()).toMatchInlineSnapshot(`
      [
        "createGateway",
        "lookAtBackends",
      ]
    `);
  });

  it("of headgate/testing is this list", () => {
    expect(Object.keys(testing).sort()).toMatchInlineSnapshot(`
      [
        "VirtualClock",
      ]
    `);
  });
});
