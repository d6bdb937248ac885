import { listScenarios } from "../../lab/scenario/index.ts";
import { EXIT, type ExitCode } from "../exit.ts";

/** Prints the scenarios that are built in. */
export async function printScenarios(json: boolean): Promise<ExitCode> {
  const scenarios = await listScenarios();
  if (json) {
    process.stdout.write(`${JSON.stringify(scenarios, undefined, 2)}\n`);
    return EXIT.ok;
  }
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  const columns = Math.min(process.stdout.columns ?? 100, 120);
  for (const { name, description } of scenarios) {
    const lines = wrap(description, Math.max(40, columns - width - 4));
    process.stdout.write(`${name.padEnd(width)}  ${lines.join(`\n${" ".repeat(width + 2)}`)}\n`);
  }
  process.stdout.write("\nheadgate load NAME runs one; headgate load init writes one to edit.\n");
  return EXIT.ok;
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
