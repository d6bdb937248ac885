/**
 * Real inference behind llama-server's HTTP surface, for tests: `node index.mjs --slots 4 --context-size 4096`.
 * Prints one line of JSON, `{"port":…}`, when it can take requests, and exits when its standard input closes.
 */
import { parseArgs } from "node:util";
import { anthropicRoutes } from "./anthropic.mjs";
import { createEngine } from "./engine.mjs";
import { createHttpServer } from "./http.mjs";
import { nativeRoutes } from "./native.mjs";
import { openaiRoutes } from "./openai.mjs";
import { statusRoutes } from "./status.mjs";

const { values } = parseArgs({
  options: { slots: { type: "string", default: "4" }, "context-size": { type: "string", default: "4096" } },
});
const slots = Number(values.slots);
const contextSize = Number(values["context-size"]);
if (!(slots >= 1 && contextSize >= 1)) throw new Error("--slots and --context-size must be 1 or more");

// A parent that dies takes this process along.
process.stdin.on("close", () => process.exit(0)).resume();

const engine = await createEngine({ slots, contextSize });
const server = createHttpServer({
  ...statusRoutes(engine),
  ...openaiRoutes(engine),
  ...anthropicRoutes(engine),
  ...nativeRoutes(engine),
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
