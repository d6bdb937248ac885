/** Facts that go with a log line. Values that clients chose must have gone through `printable` before. */
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where the parts of Headgate tell what happened: transitions at `info`, single requests at `debug`. */
export interface Log {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
}

/** A log that says nothing. */
export const SILENT_LOG: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
