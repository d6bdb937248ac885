/** How the process ends. `rowsFailed` and `stopped` are of `headgate batch`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  rowsFailed: 2,
  stopped: 3,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure that is told in one line: what, where and what to do. No stack trace. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: ExitCode;

  constructor(message: string, code: ExitCode = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The system's code of an error, such as `EADDRINUSE`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const LISTEN_HINTS: ReadonlyMap<string | undefined, string> = new Map([
  ["EADDRINUSE", "is taken by another program; choose another with --port, or 0 for any"],
  ["EACCES", "may not be used by this user; ports below 1024 are for root"],
  ["EADDRNOTAVAIL", "is no address of this machine; choose another with --host"],
  ["ENOTFOUND", "is no address of this machine; choose another with --host"],
]);

/** Says in one line why an address cannot be listened on. */
export function listenError(error: unknown, host: string, port: number): CommandError {
  const hint = LISTEN_HINTS.get(codeOf(error));
  const message = hint === undefined ? `cannot listen on ${host}:${port}: ${String(error)}` : `${host}:${port} ${hint}`;
  return new CommandError(message, EXIT.failed, { cause: error });
}
