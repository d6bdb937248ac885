import type { Clock } from "../contracts/clock.ts";
import type { Log, LogFacts } from "../contracts/log.ts";
import type { Palette, Terminal } from "./terminal.ts";

/** Writes one line per event for people: time, level where it matters, message, facts. Debug lines only if asked for. */
export function createLog(terminal: Terminal, options: { clock: Clock; palette: Palette; debug: boolean }): Log {
  const { clock, palette } = options;
  const write = (mark: string, message: string, facts: LogFacts = {}): void => {
    const time = new Date(clock.wall()).toISOString().slice(11, 19);
    const pairs = Object.entries(facts)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => palette.dim(`${name}=${formatValue(value)}`));
    terminal.write(`${[palette.dim(time), mark, message, ...pairs].filter((part) => part !== "").join("  ")}\n`);
  };
  return {
    debug: (message, facts) => {
      if (options.debug) write(palette.dim("debug"), message, facts);
    },
    info: (message, facts) => write("", message, facts),
    warn: (message, facts) => write(palette.warn("warning"), message, facts),
    error: (message, facts) => write(palette.bad("error"), message, facts),
  };
}

function formatValue(value: string | number | boolean | undefined): string {
  const text = String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
