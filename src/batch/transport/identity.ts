import { readFileSync } from "node:fs";

import { isRecord, parseJson } from "../../core/json.ts";
import { brokenHeader, brokenValue } from "./header.ts";

const ANTHROPIC_VERSION = "2023-06-01";

/**
 * The headers of every request: who we are, the key, and what the user adds or puts in their place. Names in lower case.
 * Throws a RangeError for a key or a header that HTTP cannot carry.
 */
export function requestHeaders(options: {
  readonly apiKey: string | undefined;
  readonly isAnthropic: boolean;
  readonly headers: Readonly<Record<string, string>>;
}): Readonly<Record<string, string>> {
  const { apiKey, isAnthropic, headers } = options;
  const brokenKey = apiKey === undefined ? undefined : brokenValue(apiKey);
  if (brokenKey !== undefined) throw new RangeError(`apiKey ${brokenKey}`);
  for (const [name, value] of Object.entries(headers)) {
    const broken = brokenHeader(name, value);
    if (broken !== undefined) throw new RangeError(`header ${JSON.stringify(name)} ${broken}`);
  }
  const key: Record<string, string> = {};
  if (apiKey !== undefined) {
    if (isAnthropic) key["x-api-key"] = apiKey;
    else key["authorization"] = `Bearer ${apiKey}`;
  }
  if (isAnthropic) key["anthropic-version"] = ANTHROPIC_VERSION;
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    "user-agent": `headgate-batch/${packageVersion()}`,
    "x-headgate-client": "batch",
    accept: "application/json",
    "content-type": "application/json",
    ...key,
    ...Object.fromEntries(own),
  };
}

function packageVersion(): string {
  const manifest = parseJson(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  const version = isRecord(manifest) ? manifest["version"] : undefined;
  return typeof version === "string" ? version : "0";
}
