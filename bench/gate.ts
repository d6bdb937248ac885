/* The gate in a process of its own, set up by the flags that somebody would give it. */
import { simpleConfig, type SimpleFlags } from "../src/config/index.ts";
import { createGateway } from "../src/gateway/index.ts";
import { answer, usage } from "./process/answer.ts";

/** `relay`: nobody waits. `refuse`: whoever comes second is refused. `hold`: thousands at once. */
const FLAGS: Readonly<Record<string, Partial<SimpleFlags>>> = {
  relay: { maxConcurrent: 64 },
  refuse: { maxConcurrent: 1, queueLength: 0 },
  hold: { maxConcurrent: 10_000 },
};

const [, , role = "relay", backendPort] = process.argv;
const backends = [`http://127.0.0.1:${backendPort}`];
const result = simpleConfig({ host: "127.0.0.1", port: 0, backends, ...FLAGS[role] });
if (result.kind !== "valid") throw new Error(JSON.stringify(result));
const { port } = await createGateway(result.config).listen();
answer(port, usage);
