import type { ConfigPath, Finding } from "../../../config/tools.ts";
import { error, formatDuration, isMapping, valueAt } from "../../../config/tools.ts";
import { readPatience, readSpan, readCountOfTokens } from "../schema/values.ts";
import type { LoadView, ScenarioView, Seen } from "../view.ts";
import { namesIn, readAt } from "../view.ts";

/** What a load comes to with what its consumer and the defaults give it. */
export function checkBehaviour(view: ScenarioView, load: LoadView): readonly Finding[] {
  const sections = [load.path, ["consumers", load.consumer], ["defaults"]];
  const find = (key: string): Seen<unknown> | undefined =>
    sections
      .map((section) => [...section, key])
      .map((path) => ({ path, value: valueAt(view.tree, path) }))
      .find(({ value }) => value !== undefined);
  return [...checkAbort(find), ...checkMessages(find, load), ...checkReplay(load)];
}

type Find = (key: string) => Seen<unknown> | undefined;

function checkAbort(find: Find): readonly Finding[] {
  const abort = find("abort");
  const patience = find("patience");
  if (abort === undefined || patience === undefined || !isMapping(abort.value)) return [];
  const after = readAt(abort.value, ["after"], readSpan);
  const waits = readPatience(patience.value);
  if (after === undefined || waits.kind === "refused" || after.from < waits.value) return [];
  const rule = `never comes about: patience ends after ${formatDuration(waits.value)} already`;
  return [error([...abort.path, "after"], rule)];
}

/** Anthropic's messages have no request without a bound. */
function checkMessages(find: Find, load: LoadView): readonly Finding[] {
  const api = find("api");
  const output = find("output");
  if (api?.value !== "messages" || (output !== undefined && output.value !== "none")) return [];
  if (load.keys.includes("replay")) return [];
  return [
    error(api.path, "is messages, which needs an output: its max_tokens is required", {
      hint: "output: 500",
      absent: true,
    }),
  ];
}

function checkReplay({ path, keys }: LoadView): readonly Finding[] {
  if (!keys.includes("replay")) return [];
  return ["prompt", "output"]
    .filter((key) => keys.includes(key))
    .map((key) => error([...path, key], "has no effect: lengths come from the trace", { at: "key" }));
}

/** What each section of the file that gives a behaviour has wrong by itself. */
export function checkSections({ tree, consumers, phases }: ScenarioView): readonly Finding[] {
  const sections: readonly ConfigPath[] = [
    ["defaults"],
    ...[...(consumers?.values() ?? [])].map(({ path }) => path),
    ...phases.flatMap(({ loads }) => loads.map(({ path }) => path)),
  ];
  return sections.flatMap((path) => [
    ...["prompt", "output"].flatMap((key) => checkLengths(tree, [...path, key])),
    ...checkBody(tree, [...path, "body"]),
  ]);
}

function checkLengths(tree: unknown, path: ConfigPath): readonly Finding[] {
  const keys = namesIn(valueAt(tree, path));
  const [from, to, median] = ["from", "to", "median"].map((key) => readAt(tree, [...path, key], readCountOfTokens));
  const findings: Finding[] = [];
  if (keys.includes("median") !== keys.includes("spread")) {
    const [there, missing] = keys.includes("median") ? ["median", "spread"] : ["spread", "median"];
    findings.push(error([...path, there], `needs a ${missing} beside it`, { at: "key", absent: true }));
  }
  if (from !== undefined && to !== undefined && from > to) {
    findings.push(error([...path, "to"], `is less than from, which is ${from}`, { received: String(to) }));
  } else if (median !== undefined && from !== undefined && to !== undefined && (median < from || median > to)) {
    findings.push(
      error([...path, "median"], `is not between from and to (${from} to ${to})`, { received: String(median) }),
    );
  }
  return findings;
}

/** Members of a body that say what a key of ours says. */
const OWN_KEYS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    model: "model",
    messages: "prompt",
    prompt: "prompt",
    stream: "stream",
    max_tokens: "output",
    max_completion_tokens: "output",
  }),
);

function checkBody(tree: unknown, path: ConfigPath): readonly Finding[] {
  return namesIn(valueAt(tree, path)).flatMap((key) => {
    const own = OWN_KEYS.get(key);
    if (own === undefined) return [];
    return [error([...path, key], `is written by ${own}, outside of body`, { at: "key" })];
  });
}
