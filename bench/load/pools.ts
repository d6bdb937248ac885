import { Connection } from "./connection.ts";

/** Those that ask and ask again, and those that hold a stream open, by port. */
const pools = { busy: new Map<number, Connection[]>(), holding: new Map<number, Connection[]>() };

/** The first `count` connections to a port; they stay open between runs. */
export function connectionsTo(port: number, use: keyof typeof pools, count: number): readonly Connection[] {
  const pool = pools[use].get(port) ?? [];
  pools[use].set(port, pool);
  while (pool.length < count) pool.push(new Connection(port));
  return pool.slice(0, count);
}

export function closeConnectionsTo(port: number): void {
  for (const pool of Object.values(pools)) {
    for (const connection of pool.get(port) ?? []) connection.close();
    pool.delete(port);
  }
}
