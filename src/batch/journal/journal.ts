import { closeSync, createReadStream, existsSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";

import type { EpochMs, Tokens } from "../../core/units.ts";
import { readLines } from "../input/lines.ts";
import { isRecord, type Json, parseJson } from "../../core/json.ts";

const FORMAT = "headgate-batch";
const VERSION = 1;

/** What an output was begun with. */
export interface JournalHeader {
  /** Flags that decide what an answer is, by their names. */
  readonly settings: Readonly<Record<string, string>>;
  /** `undefined`: standard input, which nobody can read twice. */
  readonly input: InputIdentity | undefined;
}

/** What tells one input file from another. */
interface InputIdentity {
  readonly file: string;
  readonly rows: number;
  /** SHA-256 over all bytes. */
  readonly sha256: string;
}

/** A request that went out. */
export interface Sent {
  readonly at: EpochMs;
  readonly tokens: Tokens;
}

/** What an earlier run has left. */
export interface JournalPast {
  readonly header: JournalHeader;
  /** In the order in which they went out. */
  readonly sent: readonly Sent[];
}

/** A journal that no version of this program can have written. */
export class JournalError extends Error {
  override readonly name = "JournalError";
}

/** Reads a journal, if there is one. Torn lines at its end are skipped. `keepMs`: sends before that do not matter. */
export async function readJournal(path: string, keepAfter: EpochMs): Promise<JournalPast | undefined> {
  if (!existsSync(path)) return undefined;
  let header: JournalHeader | undefined;
  const sent: Sent[] = [];
  for await (const lines of readLines(createReadStream(path)))
    for (const { text, number } of lines) {
      const json = parseJson(text ?? "");
      if (number === 1) header = readHeader(json, path);
      else if (isRecord(json) && Array.isArray(json["sent"])) {
        const [at, tokens]: unknown[] = json["sent"];
        if (typeof at === "number" && typeof tokens === "number" && at > keepAfter) sent.push({ at, tokens });
      }
    }
  return header === undefined ? undefined : { header, sent };
}

/**
 * What a run must not forget and the output does not tell: what it was begun with, and when requests went out, so that the
 * next run does not exceed a limit together with this one. A send is handed to the system before the request is: a process
 * that is killed in between has noted one too many, never one too few.
 */
export class Journal {
  readonly #file: number;

  /** Begins the journal anew, with what still matters of the past. The old one stands until the new one is whole. */
  constructor(path: string, { header, sent }: JournalPast) {
    const lines = [JSON.stringify({ format: FORMAT, version: VERSION, ...header }), ...sent.map(sentLine)];
    writeFileSync(`${path}.next`, `${lines.join("\n")}\n`);
    renameSync(`${path}.next`, path);
    this.#file = openSync(path, "a");
  }

  sent(send: Sent): void {
    writeSync(this.#file, `${sentLine(send)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** What differs between two headers, one sentence each, for people. */
export function differences(old: JournalHeader, next: JournalHeader): readonly string[] {
  const names = new Set([...Object.keys(old.settings), ...Object.keys(next.settings)]);
  const shown = (value: string | undefined): string => value ?? "not given";
  const settings = [...names]
    .filter((name) => old.settings[name] !== next.settings[name])
    .map((name) => `${name} was ${shown(old.settings[name])}, is ${shown(next.settings[name])}`);
  if (old.input === undefined || next.input === undefined || old.input.sha256 === next.input.sha256) return settings;
  const rows = (count: number): string => (count === 1 ? "1 row" : `${count} rows`);
  return [
    ...settings,
    `the input was ${old.input.file} with ${rows(old.input.rows)}, is ${next.input.file} with ${rows(next.input.rows)} and other bytes`,
  ];
}

function sentLine({ at, tokens }: Sent): string {
  return `{"sent":[${at},${tokens}]}`;
}

function readHeader(json: unknown, path: string): JournalHeader {
  if (!isRecord(json) || json["format"] !== FORMAT)
    throw new JournalError(`${path} is no journal of headgate batch; move it away, or give another OUTPUT with -o`);
  if (json["version"] !== VERSION)
    throw new JournalError(`${path} is of version ${String(json["version"])}, and this program writes ${VERSION}`);
  const settings = isRecord(json["settings"]) ? json["settings"] : {};
  return {
    settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    input: isRecord(json["input"]) ? readIdentity(json["input"]) : undefined,
  };
}

function readIdentity({ file, rows, sha256 }: Json): InputIdentity | undefined {
  if (typeof file !== "string" || typeof rows !== "number" || typeof sha256 !== "string") return undefined;
  return { file, rows, sha256 };
}
