/* The load generator. Sends requests that were rendered once and looks at as little of the answers as it can. */
import { closedLoop } from "./load/closed-loop.ts";
import { hold } from "./load/hold.ts";
import { openLoop } from "./load/open-loop.ts";
import type { LoadCommand, LoadReport } from "./load/plan.ts";
import { closeConnectionsTo } from "./load/pools.ts";
import { answer } from "./process/answer.ts";

const NOTHING: LoadReport = { done: 0, wrong: 0, chunks: 0, reads: 0, latencyMs: { p50: 0, p99: 0 } };

function follow(command: LoadCommand): LoadReport | Promise<LoadReport> {
  switch (command.kind) {
    case "closed":
      return closedLoop(command);
    case "open":
      return openLoop(command);
    case "hold":
      return hold(command);
    case "close":
      closeConnectionsTo(command.port);
      return NOTHING;
  }
}

answer(0, follow);
