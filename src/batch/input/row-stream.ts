import { createReadStream } from "node:fs";

import { FileError, fileError } from "../file-error.ts";
import { IdTable } from "./id-table.ts";
import type { LineSet } from "./line-set.ts";
import { readLines } from "./lines.ts";
import { type BadLine, parseRow, type RowDefaults } from "./parse-row.ts";
import { type Before, duplicate } from "./preflight.ts";
import { fingerprint, type PlacedRow, requestId } from "./row.ts";

/** The chosen lines of a file that has been looked through. Throws where one of them is no row any more. */
export async function* fileRows(
  path: string,
  { todo, defaults }: { readonly todo: LineSet; readonly defaults: RowDefaults },
): AsyncGenerator<readonly PlacedRow[]> {
  for await (const lines of readLines(chunksOf(path))) {
    const rows: PlacedRow[] = [];
    for (const line of lines) {
      if (!todo.has(line.number)) continue;
      const parsed = parseRow(line, defaults);
      if (parsed.kind !== "row") throw new FileError(`${path}:${line.number} has changed while it was being read`);
      rows.push(parsed.row);
    }
    if (rows.length > 0) yield rows;
  }
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** What becomes of lines that a stream brings and that are not asked. */
export interface StreamListener {
  bad(problem: BadLine): void;
  finishedBefore(kind: "answered" | "failed"): void;
}

/** The rows of a stream that can be read once only: judged as they come. */
export async function* streamRows(
  chunks: AsyncIterable<Buffer>,
  options: { readonly defaults: RowDefaults; readonly before: Before; readonly listener: StreamListener },
): AsyncGenerator<readonly PlacedRow[]> {
  const { defaults, before, listener } = options;
  const seen = new IdTable();
  for await (const lines of readLines(chunks)) {
    const rows: PlacedRow[] = [];
    for (const line of lines) {
      const parsed = parseRow(line, defaults);
      if (parsed.kind === "blank") continue;
      if (parsed.kind === "bad") {
        listener.bad(parsed.problem);
        continue;
      }
      const { row } = parsed;
      const asks = fingerprint(requestId(row));
      const first = seen.add(row.customId, { line: row.line, fingerprint: asks });
      const answered = before.answered.get(row.customId);
      if (first !== undefined) listener.bad(duplicate(row, first.line));
      else if (answered !== undefined && answered.fingerprint !== asks) listener.bad(changed(row));
      else if (answered !== undefined) listener.finishedBefore("answered");
      else if (before.failed.get(row.customId)?.fingerprint === asks) listener.finishedBefore("failed");
      else rows.push(row);
    }
    if (rows.length > 0) yield rows;
  }
}

function changed({ line, customId }: PlacedRow): BadLine {
  const rule = "the output has an answer to another request under this custom_id; give another OUTPUT with -o";
  return { line, rule, value: JSON.stringify(customId) };
}
