import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";

import type { EpochMs, Tokens } from "../../core/units.ts";
import { fileError } from "../file-error.ts";
import { readLines } from "../input/lines.ts";
import type { PastSend } from "../limiter/types.ts";
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

/** What an earlier run has left. */
export interface JournalPast {
  /** `undefined`: it is not known, because a crash has cut it off. */
  readonly header: JournalHeader | undefined;
  /** In the order in which they went out, with the tokens that they really used, as far as that is known. */
  readonly sent: readonly PastSend[];
  /** The server asked not to be asked until then. */
  readonly pausedUntil?: EpochMs | undefined;
}

/** A journal that no version of this program can have written. */
export class JournalError extends Error {
  override readonly name = "JournalError";
}

/** How every journal begins. */
export const JOURNAL_BEGINNING: string = `{"format":"${FORMAT}"`;

/**
 * Reads a journal, if there is one. Torn lines at its end are skipped; where the first one is torn, nothing is known of the
 * past. `keepAfter`: sends before that do not matter.
 */
export async function readJournal(path: string, keepAfter: EpochMs): Promise<JournalPast | undefined> {
  if (!existsSync(path)) return undefined;
  let header: JournalHeader | undefined;
  let pausedUntil: EpochMs | undefined;
  const sent = new Map<EpochMs, { at: EpochMs; tokens: Tokens; requests: number }>();
  for await (const lines of readLines(createReadStream(path)))
    for (const { text = "", number } of lines) {
      const json = parseJson(text);
      if (number === 1) {
        if (isTornHeader(text, json)) return { header: undefined, sent: [] };
        header = readHeader(json, path);
      } else if (isRecord(json)) {
        if (typeof json["pause"] === "number") pausedUntil = Math.max(pausedUntil ?? 0, json["pause"]);
        const [at, tokens, requests = 1] = numbersOf(json["sent"] ?? json["more"]);
        if (at === undefined || tokens === undefined || at <= keepAfter) continue;
        const entry = sent.get(at) ?? { at, tokens: 0, requests: 0 };
        entry.tokens += tokens;
        if (json["sent"] !== undefined) entry.requests += requests;
        sent.set(at, entry);
      }
    }
  const known = [...sent.values()].filter(({ requests }) => requests > 0);
  return { header, sent: known.map((entry) => ({ ...entry, tokens: Math.max(0, entry.tokens) })), pausedUntil };
}

/**
 * What a run must not forget and the output does not tell: what it was begun with, when requests went out, so that the next
 * run does not exceed a limit together with this one, and until when the server asked not to be asked. A send is handed to
 * the system before the request is: a process that is killed in between has noted one too many, never one too few.
 */
export class Journal {
  readonly #path: string;
  readonly #file: number;

  /** Begins the journal anew, with what still matters of the past. The old one stands until the new one is whole. */
  constructor(path: string, header: JournalHeader, { sent, pausedUntil }: Omit<JournalPast, "header">) {
    this.#path = path;
    const pauses = pausedUntil === undefined ? [] : [pauseLine(pausedUntil)];
    const lines = [JSON.stringify({ format: FORMAT, version: VERSION, ...header }), ...sent.map(sentLine), ...pauses];
    try {
      replace(path, `${lines.join("\n")}\n`);
      this.#file = openSync(path, "a");
    } catch (error) {
      throw fileError(error, "write", path);
    }
  }

  sent(send: PastSend): void {
    this.#write(sentLine(send));
  }

  /** What went out at `at` has used so many more tokens than was noted; fewer where it is negative. */
  used(at: EpochMs, more: Tokens): void {
    this.#write(`{"more":[${at},${more}]}`);
  }

  /** The server asks not to be asked until then. */
  paused(until: EpochMs): void {
    this.#write(pauseLine(until));
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: string): void {
    try {
      writeSync(this.#file, `${line}\n`);
    } catch (error) {
      throw fileError(error, "write", this.#path);
    }
  }
}

/** Whoever reads the file meanwhile, or after a crash, sees the old or the new one. */
function replace(path: string, text: string): void {
  const next = `${path}.next`;
  try {
    const file = openSync(next, "w");
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } finally {
    rmSync(next, { force: true });
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

function sentLine({ at, tokens, requests = 1 }: PastSend): string {
  return requests === 1 ? `{"sent":[${at},${tokens}]}` : `{"sent":[${at},${tokens},${requests}]}`;
}

function pauseLine(until: EpochMs): string {
  return `{"pause":${Math.ceil(until)}}`;
}

function numbersOf(value: unknown): readonly (number | undefined)[] {
  return Array.isArray(value) ? value.map((item: unknown) => (typeof item === "number" ? item : undefined)) : [];
}

/** What a crash of the machine leaves of a first line: its beginning, or zeros. */
function isTornHeader(text: string, json: unknown): boolean {
  if (json !== undefined) return false;
  return text.startsWith(JOURNAL_BEGINNING) || JOURNAL_BEGINNING.startsWith(text) || /^\0+$/.test(text);
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
