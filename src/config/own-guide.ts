import type { Guide } from "./guide.ts";
import { Outline } from "./outline.ts";
import type { ConfigPath } from "./problem.ts";
import { jsonSchema } from "./schema/file.ts";

/** What advice on a mistake in `headgate.yaml` is taken from. */
export const OWN_GUIDE: Guide = {
  outline: new Outline(jsonSchema()),
  coming: ["state"],
  knownAs: new Map(
    Object.entries({
      rps: "requests_per_second",
      rpm: "requests_per_minute",
      rph: "requests_per_hour",
      rpd: "requests_per_day",
      tpm: "tokens_per_minute",
      tph: "tokens_per_hour",
      tpd: "tokens_per_day",
      threshold: "utilization_threshold",
      allowed: "allow",
    }),
  ),
  emptyHint,
};

function emptyHint(path: ConfigPath): string | undefined {
  if (path.length === 0) return "it needs at least one deployment with a backend";
  if (path.length === 1 && path[0] === "admin") return "admin: {} takes the defaults; without the key, there is none";
  return path.at(-1) === "queue" && path.length === 3
    ? "queue: {} takes the defaults; without the key, nothing waits"
    : undefined;
}
