import { Agent } from "undici";

import { isRecord, parseJson } from "../../core/json.ts";
import { fetchText, SILENCE_MS } from "./fetch-text.ts";
import type { Target } from "./target.ts";

/** The name of the first model that a server lists. Rejects where it lists none, in words for whoever runs the load. */
export async function firstModel({ origin, base }: Target, key: string): Promise<string> {
  const url = `${origin}${base}/v1/models`;
  const dispatcher = new Agent({ headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS });
  try {
    const name = nameIn(parseJson(await fetchText(url, { key, dispatcher })));
    if (name === undefined) throw new Error("it lists none");
    return name;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${url} does not say which models there are (${why}); name one with model: in the scenario`, {
      cause: error,
    });
  } finally {
    await dispatcher.destroy();
  }
}

function nameIn(list: unknown): string | undefined {
  const data = isRecord(list) ? list["data"] : undefined;
  const first: unknown = Array.isArray(data) ? data[0] : undefined;
  return isRecord(first) && typeof first["id"] === "string" ? first["id"] : undefined;
}
