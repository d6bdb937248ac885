import { writeFileSync } from "node:fs";

import { starterScenario } from "../../lab/scenario/index.ts";
import { CommandError, codeOf, EXIT, type ExitCode } from "../exit.ts";

/** Writes a scenario to edit. Never over a file that is there. */
export function initScenario(path = "scenario.yaml"): ExitCode {
  try {
    writeFileSync(path, starterScenario, { flag: "wx" });
  } catch (error) {
    const why =
      codeOf(error) === "EEXIST" ? "is there already; name another file" : `cannot be written: ${String(error)}`;
    throw new CommandError(`${path} ${why}`, EXIT.failed, { cause: error });
  }
  process.stdout.write(`${path} is written. Try it with: headgate load ${path} --virtual\n`);
  return EXIT.ok;
}
