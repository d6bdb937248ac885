import { createReadStream, existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";

import { IdTable } from "../input/id-table.ts";
import { type Line, readLines } from "../input/lines.ts";
import { fingerprint, isRequestId } from "../input/row.ts";
import { isRecord, parseJson } from "../../core/json.ts";
import { Appender } from "./appender.ts";
import { wholeLines } from "./repair.ts";

/** What an output file says of a row. */
export interface FinishedRow {
  readonly customId: string;
  /** 32 bits of the request that was answered. */
  readonly fingerprint: number;
}

/** A file that `headgate batch` has not written. */
export class ForeignFileError extends Error {
  override readonly name = "ForeignFileError";
}

/**
 * Reads which rows a file of answers or failures has, if there is one. Throws `ForeignFileError` where a line is none of
 * ours: what is appended to another's file, or cut off from it, would be lost on them.
 */
export async function readFinished(path: string): Promise<IdTable> {
  const rows = new IdTable();
  // A line that was being written when its process was killed is not finished.
  const bytes = await wholeLines(path);
  if (bytes === 0) return rows;
  for await (const lines of readLines(createReadStream(path, { end: bytes - 1 })))
    for (const line of lines) {
      const { customId, fingerprint } = finishedRow(line, path);
      rows.add(customId, { line: line.number, fingerprint });
    }
  return rows;
}

/** Whether a file that may end in a broken line is one of ours, or none at all. */
export async function isOurs(path: string): Promise<boolean> {
  if (!existsSync(path)) return true;
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING.length), 0, BEGINNING.length, 0);
    const head = buffer.toString("latin1", 0, bytesRead);
    // A write that was broken off may have left less than the beginning; a crash of the machine leaves zeros.
    return BEGINNING.startsWith(head) || /^\0+$/.test(head);
  } finally {
    await file.close();
  }
}

/** Takes the lines out of a file that `keeps` says no to. Whoever reads the file meanwhile sees the old or the new one. */
export async function keepLines(path: string, keeps: (row: FinishedRow) => boolean): Promise<void> {
  if (!existsSync(path)) return;
  const next = `${path}.next`;
  await rm(next, { force: true });
  const appender = await Appender.open(next, () => {});
  for await (const lines of readLines(createReadStream(path))) {
    for (const line of lines) if (keeps(finishedRow(line, path))) appender.append(`${line.text}\n`);
    if (appender.isFull) await appender.room();
  }
  await appender.close();
  await rename(next, path);
}

const BEGINNING = '{"id":"batch_req_';

function finishedRow({ number, text }: Line, path: string): FinishedRow {
  const json = text?.startsWith(BEGINNING) === true ? parseJson(text) : undefined;
  const { id, custom_id: customId } = isRecord(json) ? json : {};
  if (isRequestId(id) && typeof customId === "string") return { customId, fingerprint: fingerprint(id) };
  throw new ForeignFileError(
    `${path}:${number} is no line that headgate batch has written; give another OUTPUT with -o, or move the file away`,
  );
}
