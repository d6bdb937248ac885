import { existsSync } from "node:fs";
import { open } from "node:fs/promises";

import type { Bytes } from "../../core/units.ts";

const NEWLINE = 10;
const STEP: Bytes = 64 * 1024;

/** What was wrong with the end of a file, and is mended. */
export type Repair = { readonly kind: "whole" } | { readonly kind: "cut"; readonly bytes: Bytes };

/**
 * Makes a file of lines end with a line end: cuts off what a write that was broken off has left behind the last one. Lines
 * are written whole with their end, so what has none was never finished.
 */
export async function repairTail(path: string): Promise<Repair> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    const end = await lastLineEnd(file, size);
    if (end === size) return { kind: "whole" };
    await file.truncate(end);
    return { kind: "cut", bytes: size - end };
  } finally {
    await file.close();
  }
}

/** How many bytes of a file are whole lines. 0 where there is no file. */
export async function wholeLines(path: string): Promise<Bytes> {
  if (!existsSync(path)) return 0;
  const file = await open(path, "r");
  try {
    return await lastLineEnd(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** The place behind the last line end; 0 where there is none. */
async function lastLineEnd(file: Awaited<ReturnType<typeof open>>, size: Bytes): Promise<Bytes> {
  const buffer = Buffer.alloc(STEP);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - STEP);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return 0;
}
