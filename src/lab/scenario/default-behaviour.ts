import type { Behaviour } from "./types.ts";

/** What requests are like where nobody says anything else. */
export const DEFAULT_BEHAVIOUR: Behaviour = {
  api: "chat",
  model: undefined,
  prompt: { kind: "turns", values: [100] },
  output: undefined,
  stream: true,
  patienceMs: Infinity,
  retry: "none",
  abort: undefined,
  connection: "kept",
  body: {},
};
