import { createReadStream, existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";

import type { Tokens } from "../../core/units.ts";
import { IdTable } from "../input/id-table.ts";
import { type Line, MAX_OWN_LINE_BYTES, readLines } from "../input/lines.ts";
import { fingerprint, isRequestId } from "../input/row.ts";
import { isRecord, parseJson } from "../../core/json.ts";
import type { Usage } from "../run/result.ts";
import { usageOf } from "../transport/usage.ts";
import { Appender } from "./appender.ts";
import { wholeLines } from "./repair.ts";

/** What an output file says of a row. */
export interface FinishedRow {
  readonly customId: string;
  /** 32 bits of the request that was answered. */
  readonly fingerprint: number;
  readonly usage: Usage;
}

/** A file that this batch may not have: one that `headgate batch` has not written, or one that has another part in it. */
export class ForeignFileError extends Error {
  override readonly name = "ForeignFileError";
}

/** What a file of answers or failures holds. */
export interface Finished {
  readonly ids: IdTable;
  /** Of the answers that say what they used. */
  readonly tokens: { readonly input: Tokens; readonly output: Tokens };
  /** Answers that do not say it. */
  readonly withoutUsage: number;
}

/**
 * Reads which rows a file of answers or failures has, if there is one. Throws `ForeignFileError` where a line is none of
 * ours: what is appended to another's file, or cut off from it, would be lost on them.
 */
export async function readFinished(path: string): Promise<Finished> {
  const ids = new IdTable();
  const tokens = { input: 0, output: 0 };
  let withoutUsage = 0;
  // A line that was being written when its process was killed is not finished.
  const bytes = await wholeLines(path);
  if (bytes === 0) return { ids, tokens, withoutUsage };
  for await (const lines of readLines(createReadStream(path, { end: bytes - 1 }), MAX_OWN_LINE_BYTES))
    for (const line of lines) {
      const { customId, fingerprint, usage } = finishedRow(line, path);
      ids.add(customId, { line: line.number, fingerprint });
      if (usage.input === undefined || usage.output === undefined) withoutUsage += 1;
      tokens.input += usage.input ?? 0;
      tokens.output += usage.output ?? 0;
    }
  return { ids, tokens, withoutUsage };
}

/** Takes the lines out of a file that `keeps` says no to. Whoever reads the file meanwhile sees the old or the new one. */
export async function keepLines(path: string, keeps: (row: FinishedRow) => boolean): Promise<void> {
  if (!existsSync(path)) return;
  const next = `${path}.next`;
  await rm(next, { force: true });
  try {
    await copyLines(path, next, keeps);
    await rename(next, path);
  } finally {
    await rm(next, { force: true });
  }
}

async function copyLines(from: string, to: string, keeps: (row: FinishedRow) => boolean): Promise<void> {
  const appender = await Appender.open(to, () => {});
  try {
    for await (const lines of readLines(createReadStream(from), MAX_OWN_LINE_BYTES)) {
      for (const line of lines) if (keeps(finishedRow(line, from))) appender.append(`${line.text}\n`);
      if (appender.isFull) await appender.room();
    }
  } finally {
    await appender.close();
  }
}

/** How every line of answers and of failures begins. */
export const BEGINNING = '{"id":"batch_req_';

function finishedRow({ number, text }: Line, path: string): FinishedRow {
  const json = text?.startsWith(BEGINNING) === true ? parseJson(text) : undefined;
  const { id, custom_id: customId, response } = isRecord(json) ? json : {};
  if (isRequestId(id) && typeof customId === "string") {
    const usage = usageOf(isRecord(response) ? response["body"] : undefined);
    return { customId, fingerprint: fingerprint(id), usage };
  }
  throw new ForeignFileError(
    `${path}:${number} is no line that headgate batch has written; give another OUTPUT with -o, or move the file away`,
  );
}
