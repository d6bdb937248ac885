/** What a child process has used up so far. */
export interface Usage {
  /** User and system time of the whole process. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** What a proxy's process is told. `collect` collects garbage first, where the process may do that. */
export interface UsageCommand {
  readonly collect: boolean;
}

/** What a child sends: once that it is there, then one reply to each command. */
export type ChildMessage = { readonly port: number } | { readonly reply: unknown } | { readonly error: string };

/** Tells the parent that this process is ready, answers its commands one by one, and ends when the parent is gone. */
export function answer(port: number, reply: (command: never) => unknown): void {
  const send = (message: ChildMessage): void => void process.send?.(message);
  process.on("disconnect", () => process.exit());
  process.on("message", (command) => {
    Promise.resolve(command as never)
      .then(reply)
      .then(
        (value) => send({ reply: value }),
        (error: unknown) => send({ error: String(error) }),
      );
  });
  send({ port });
}

/** A proxy answers with what it has used. */
export function usage({ collect }: UsageCommand): Usage {
  if (collect) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() };
}
