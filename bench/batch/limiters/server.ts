/* The article's API, one server after the other in a process of its own: 2 calls a second counted from the first hit, 2 to 5 s each. */
import { createModelServer, type ModelServer } from "../../../src/lab/model/server.ts";
import { LIMIT, type ServerCommand, type ServerReply } from "./protocol.ts";

let model: ModelServer | undefined;

process.on("message", (command: ServerCommand) => void serve(command));
process.once("disconnect", () => process.exit(0));

async function serve(command: ServerCommand): Promise<void> {
  const reply = (message: ServerReply): unknown => process.send?.(message);
  switch (command.kind) {
    case "start": {
      const { amount, windowMs, leastMs, mostMs } = LIMIT;
      model = createModelServer({
        preset: "instant",
        seed: command.seed,
        latency: { leastMs, mostMs },
        rateLimit: { amount, windowMs, window: { kind: "first-hit" }, text: "2 per 1 second", retryAfter: false },
      });
      return void reply({ kind: "started", port: await model.listen() });
    }
    case "stop": {
      const limit = model?.stats().rate_limit;
      await model?.close();
      return void reply({ kind: "stopped", refused: limit?.refused ?? 0, worst: limit?.worst_in_any_window ?? 0 });
    }
  }
}
