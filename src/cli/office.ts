import { diffConfigs } from "../config/diff.ts";
import { closest } from "../config/suggest.ts";
import type { AdminConfig, Config } from "../config/types.ts";
import type { Log } from "../contracts/log.ts";
import { systemClock } from "../engine/clock.ts";
import { type Admin, createAdmin } from "../gateway/admin/index.ts";
import type { Gateway } from "../gateway/index.ts";
import { CommandError, listenError } from "./exit.ts";
import { urlOf } from "./format.ts";
import { Reloader, type Reloading, startReloading } from "./reload.ts";

/** What a gate needs that runs on a file. */
interface OfficeOptions {
  readonly path: string;
  readonly config: Config;
  /** Of the content that `config` was read from. */
  readonly hash: string | undefined;
  readonly gateway: Gateway;
  readonly log: Log;
}

/** What runs beside a gate that has a file: the admin listener, and the watch on the file. */
export interface Office {
  /** Where operators reach it; undefined where the file has no `admin`. */
  readonly url: string | undefined;
  /** From now on the file is applied when it is saved, and on SIGHUP. */
  startReloading(): void;
  /** From now on nothing of the file is applied any more; SIGHUP does nothing until `close`. */
  stopReloading(): void;
  /** Resolves when the admin listener has closed. */
  close(): Promise<void>;
}

/** Opens the admin listener if there is to be one. Throws a `CommandError` where its address cannot be listened on. */
export async function openOffice({ path, config, hash, gateway, log }: OfficeOptions): Promise<Office> {
  let admin: Admin | undefined;
  let stopped = false;
  const apply = (next: Config): readonly string[] => {
    if (stopped) throw new Error("the gate is shutting down");
    gateway.reconfigure(next);
    admin?.reconfigure(next.admin);
    const waiting = diffConfigs(config, next).filter(({ needsRestart }) => needsRestart);
    return waiting.map(({ text }) => text);
  };
  const describe = (old: Config, next: Config): readonly string[] => diffConfigs(old, next).map(({ text }) => text);
  const refresh = (): void => gateway.reconfigure(gateway.config);
  const clock = systemClock;
  const options = { path, env: process.env, clock, log, config, hash, describe, apply, refresh };
  const reloader = new Reloader(options);
  const source = { gate: gateway, configuration: reloader };
  if (config.admin !== undefined) admin = createAdmin(config.admin, source, { clock, log, suggest: closest });
  const url = admin && config.admin && (await listen(admin, config.admin));
  let reloading: Reloading | undefined;
  return {
    url,
    startReloading: () => (reloading = startReloading(reloader, options)),
    stopReloading: () => {
      stopped = true;
      // Whoever asks for a reload now must not end the process, as the signal does where nobody handles it.
      process.on("SIGHUP", ignore);
      reloading?.close();
    },
    close: async () => {
      await admin?.close();
      process.off("SIGHUP", ignore);
    },
  };
}

/** As `listenError` says it, for an address that a file settles: names the keys of its section and no flags. */
export function listenErrorInFile(error: unknown, section: "server" | "admin", address: AdminConfig): CommandError {
  const { message, code } = listenError(error, address.host, address.port);
  const named = message.replace("--port", `${section}.port`).replace("--host", `${section}.host`);
  return new CommandError(named, code, { cause: error });
}

function ignore(): void {}

async function listen(admin: Admin, config: AdminConfig): Promise<string> {
  try {
    return urlOf(config.host, (await admin.listen()).port);
  } catch (error) {
    throw listenErrorInFile(error, "admin", config);
  }
}
