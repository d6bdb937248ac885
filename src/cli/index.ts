#!/usr/bin/env node
import { CommanderError } from "commander";

import { CommandError, EXIT, type ExitCode } from "./exit.ts";
import { createProgram } from "./program.ts";
import { hasColor, paletteFor } from "./terminal.ts";

// A full disk or a reader that has gone costs lines of output, never a request.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
process.exitCode = await main(process.argv);

/** Runs one command line and says how it ended. Usage mistakes are 2, whatever the command. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram((ended) => {
    code = ended;
  });
  for (const command of [program, ...program.commands]) command.exitOverride();
  // Without a command, help is the answer, and no mistake.
  if (argv.length <= 2) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return report(error, argv.includes("--debug"));
  }
  return code;
}

function report(error: unknown, debug: boolean): ExitCode {
  const { bad } = paletteFor(hasColor(process.stderr, process.env));
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${bad("headgate:")} ${message}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  return error instanceof CommandError ? error.code : EXIT.failed;
}
