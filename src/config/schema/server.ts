import { z } from "zod";
import { duration, size } from "../fields/field.ts";
import { host, port } from "../fields/network.ts";
import { token } from "../fields/secrets.ts";
import type { AdminConfig, ServerConfig } from "../types.ts";

const DAY = 24 * 3_600_000;

/** `server`. */
export const server: z.ZodType<ServerConfig> = z
  .strictObject({
    host: host()
      .prefault("127.0.0.1")
      .describe(
        "Host name or address that clients call. Danger: on anything but loopback, everybody who reaches the address can use the model, unless there are `consumers`; `0.0.0.0` and `::` are every address of the machine.",
      ),
    port: port().prefault(8080).describe("TCP port that clients call. `0` takes any free port."),
    max_body_size: size({ min: 1000, max: 1e9 })
      .prefault("32MB")
      .describe(
        "Bytes that the body of one request may have; a larger one is refused with 413. Bodies are held in memory.",
      ),
    drain_timeout: duration({ min: 0, max: DAY })
      .prefault("10m")
      .describe(
        "How long a gate that was told to stop lets running and waiting requests finish. After it, they are cut off; `0s` cuts them off at once.",
      ),
  })
  .transform((from) => ({
    host: from.host,
    port: from.port,
    maxBodyBytes: from.max_body_size,
    drainTimeoutMs: from.drain_timeout,
  }));

/** `admin`. */
export const admin: z.ZodType<AdminConfig> = z
  .strictObject({
    host: host()
      .prefault("127.0.0.1")
      .describe("Host name or address that operators call. On anything but loopback it needs a `token`."),
    port: port()
      .prefault(9090)
      .describe("TCP port that operators call, never the one of clients. `0` takes any free port."),
    token: token()
      .optional()
      .describe(
        "What operators send as `Authorization: Bearer`. Empty or left out asks for none, which only loopback may. Take it from a variable, as in `${HEADGATE_ADMIN_TOKEN}`. It is never shown in a message.",
      ),
  })
  .transform(({ host, port, token }) => ({ host, port, ...(token !== undefined && token !== "" && { token }) }));
