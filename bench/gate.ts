/* The gate in a process of its own, set up as somebody would: by the flags of `headgate serve`, or by a file that uses everything. */
import { type Config, type ConfigResult, parseConfig, simpleConfig, type SimpleFlags } from "../src/config/index.ts";
import { createGateway } from "../src/gateway/index.ts";
import { answer, usage } from "./process/answer.ts";
import type { Role } from "./proxies/proxy.ts";
import { allottedFile } from "./setup/allotted.ts";

const FLAGS: Readonly<Record<Role, Partial<SimpleFlags>>> = {
  relay: { maxConcurrent: 64 },
  refuse: { maxConcurrent: 1, queueLength: 0 },
  hold: { maxConcurrent: 10_000 },
};

const [, , role = "relay", port = "0", setup = "plain"] = process.argv;
const backendPort = Number(port);
if (role !== "relay" && role !== "refuse" && role !== "hold") throw new Error(`no such role: ${role}`);
const config =
  setup === "allotted"
    ? checked(parseConfig({ file: "bench", text: allottedFile(role, backendPort), env: {}, now: Date.now() }))
    : checked(
        simpleConfig({ host: "127.0.0.1", port: 0, backends: [`http://127.0.0.1:${backendPort}`], ...FLAGS[role] }),
      );
answer((await createGateway(config).listen()).port, usage);

function checked(result: ConfigResult): Config {
  if (result.kind === "valid") return result.config;
  throw new Error(JSON.stringify(result.problems));
}
