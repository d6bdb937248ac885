import type { Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";

import { FileError, fileError, withFile } from "../file-error.ts";
import { JOURNAL_BEGINNING } from "../journal/journal.ts";
import { type BatchPaths, STDIO } from "../journal/paths.ts";
import { BEGINNING, ForeignFileError } from "../output/finished.ts";

/**
 * Looks, before anything is touched, whether the files may be what they are to be: an input that can be read twice and is
 * no part of the output, and an output whose files are ours or not there. Throws `ForeignFileError` and `FileError`.
 */
export async function checkFiles(input: string, paths: BatchPaths): Promise<void> {
  const source = input === STDIO ? undefined : await withFile("read", input, () => stat(input));
  if (source !== undefined) checkInput(input, source);
  // What stands beside it would be made among the devices.
  if (/^\/(?:dev|proc)\//.test(resolve(paths.output))) throw noFile(paths.output, paths);
  for (const { path, beginning } of partsOf(paths)) {
    const there = await statOf(path);
    if (there === undefined) continue;
    if (source !== undefined && source.dev === there.dev && source.ino === there.ino) throw isInput(path, paths);
    if (!there.isFile()) throw noFile(path, paths);
    if (beginning !== undefined && !(await beginsWith(path, beginning)))
      throw new ForeignFileError(
        `${path} is no file that headgate batch has written; move it away, or give another OUTPUT with -o`,
      );
  }
}

interface Part {
  readonly path: string;
  /** Every file of this kind begins with that. `undefined`: it tells itself whether it is ours. */
  readonly beginning: string | undefined;
}

function partsOf({ output, errors, badLines, journal, summary, lock }: BatchPaths): readonly Part[] {
  const beside = [
    { path: errors, beginning: BEGINNING },
    { path: badLines, beginning: '{"line":' },
  ];
  if (output === STDIO) return beside;
  return [
    { path: output, beginning: BEGINNING },
    ...beside,
    { path: journal, beginning: JOURNAL_BEGINNING },
    { path: summary, beginning: '{\n  "ended": "' },
    { path: lock, beginning: undefined },
  ];
}

function checkInput(input: string, source: Stats): void {
  if (source.isDirectory()) throw new FileError(`cannot read ${input}: it is a folder`);
  if (source.isFile()) return;
  throw new ForeignFileError(
    `${input} is no file that can be read twice; give - as INPUT, and it as standard input: < ${input}`,
  );
}

function isInput(path: string, { output }: BatchPaths): ForeignFileError {
  const what = path === output ? "OUTPUT itself" : `one of the files of OUTPUT ${output}`;
  return new ForeignFileError(`INPUT is ${what} (${path}); copy it, or give another OUTPUT with -o`);
}

function noFile(path: string, { output }: BatchPaths): ForeignFileError {
  const hint = path === output ? "; -o - writes answers to standard output" : "";
  return new ForeignFileError(`${path} must be a file: a run goes on from what it finds there${hint}`);
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError(error, "read", path);
  }
}

/** A write that was broken off may have left less than the beginning; a crash of the machine leaves zeros. */
async function beginsWith(path: string, beginning: string): Promise<boolean> {
  return withFile("read", path, async () => {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(beginning.length), 0, beginning.length, 0);
      const head = buffer.toString("latin1", 0, bytesRead);
      return beginning.startsWith(head) || /^\0+$/.test(head);
    } finally {
      await file.close();
    }
  });
}
