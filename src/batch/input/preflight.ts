import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

import type { Random } from "../../core/random.ts";
import type { Tokens } from "../../core/units.ts";
import { withFile } from "../file-error.ts";
import { Estimates } from "../run/estimates.ts";
import { IdTable } from "./id-table.ts";
import { LineSet } from "./line-set.ts";
import { readLines } from "./lines.ts";
import { type BadLine, parseRow, type RowDefaults } from "./parse-row.ts";
import { fingerprint, type PlacedRow, requestId } from "./row.ts";

/** What rows were finished before. */
export interface Before {
  readonly answered: IdTable;
  readonly failed: IdTable;
}

/** What is found in an input before anything of it is sent. */
export interface Preflight {
  /** Lines that are rows. */
  readonly rows: number;
  /** The lines that are to be asked: not finished before, and in the sample if there is one. */
  readonly todo: LineSet;
  /** Rows that are not finished; without a sample as many as in `todo`. */
  readonly left: number;
  readonly answeredBefore: number;
  readonly failedBefore: number;
  /** Finished rows that ask something else by now; the first of them. */
  readonly changed: { readonly count: number; readonly first: readonly PlacedRow[] };
  readonly bad: { readonly count: number; readonly first: readonly BadLine[] };
  /** Of what is left. */
  readonly tokens: { readonly input: Tokens; readonly output: Tokens };
  /** What rows that were answered before are thought to have used; only if asked for. */
  readonly answeredTokens: { readonly input: Tokens; readonly output: Tokens };
  /** The tokens that are reserved for each row that is left, in order; kept only if asked for. */
  readonly reserved: readonly Tokens[];
  /** Whether a row has its model from the defaults. */
  readonly needsModel: boolean;
  /** Whether all rows are such that have failed before: a file of failures, mended or not. */
  readonly isOfFailures: boolean;
  /** Of all bytes. */
  readonly sha256: string;
}

/** What is found, and what would be too large to keep. */
export interface Look {
  readonly found: Preflight;
  /** Every row, with the line where it stands and what it asks. */
  readonly ids: IdTable;
}

/** How an input is looked through. */
export interface PreflightOptions {
  readonly defaults: RowDefaults;
  readonly before: Before;
  /** All that has failed before, also where that is to be forgotten. */
  readonly failures: IdTable;
  /** So many rows at random. */
  readonly sample: number | undefined;
  readonly random: Random;
  readonly wantsTokens: boolean;
  /** Whether what answered rows used matters. */
  readonly wantsAnsweredTokens: boolean;
}

/** So many mistakes are kept; all are counted. */
const MOST_BAD = 10_000;
/** One is enough to show what has happened. */
const MOST_CHANGED = 1;

/**
 * Reads the whole input once, in memory of some 40 bytes a row, so that every mistake in it is told before anything is
 * sent, and it is known how much there is to do.
 */
export async function preflight(path: string, options: PreflightOptions): Promise<Look> {
  const scan = new Scan(options);
  const hash = createHash("sha256");
  const bytes = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await withFile("read", path, async () => {
    for await (const lines of readLines(bytes()))
      for (const line of lines) {
        const parsed = parseRow(line, options.defaults);
        if (parsed.kind === "row") scan.row(parsed.row, parsed.needsModel);
        else if (parsed.kind === "bad") scan.bad(parsed.problem);
      }
  });
  return scan.result(hash.digest("hex"));
}

class Scan {
  readonly #options: PreflightOptions;
  readonly #ids = new IdTable();
  readonly #todo = new LineSet();
  /** Lines of the sample, where there is one. */
  readonly #sample: number[] = [];
  readonly #estimates = new Estimates();
  readonly #reserved: Tokens[] = [];
  readonly #bad: BadLine[] = [];
  readonly #changed: PlacedRow[] = [];
  #needsModel = false;
  #ofFailures = 0;
  #badCount = 0;
  #changedCount = 0;
  #answered = 0;
  #failed = 0;
  #left = 0;
  readonly #answeredTokens = { input: 0, output: 0 };
  #input = 0;
  #output = 0;

  constructor(options: PreflightOptions) {
    this.#options = options;
  }

  bad(problem: BadLine): void {
    this.#badCount += 1;
    if (this.#bad.length < MOST_BAD) this.#bad.push(problem);
  }

  row(row: PlacedRow, needsModel: boolean): void {
    if (needsModel) this.#needsModel = true;
    const asks = fingerprint(requestId(row));
    const first = this.#ids.add(row.customId, { line: row.line, fingerprint: asks });
    if (first !== undefined) return this.bad(duplicate(row, first.line));
    if (this.#options.failures.get(row.customId) !== undefined) this.#ofFailures += 1;
    const { answered, failed } = this.#options.before;
    const finished = answered.get(row.customId);
    if (finished?.fingerprint === asks) this.#answer(row);
    else if (failed.get(row.customId)?.fingerprint === asks) this.#failed += 1;
    else {
      if (finished !== undefined) this.#change(row);
      this.#add(row);
    }
  }

  result(sha256: string): Look {
    for (const line of this.#sample) this.#todo.add(line);
    const found = {
      rows: this.#ids.size,
      todo: this.#todo,
      left: this.#left,
      answeredBefore: this.#answered,
      failedBefore: this.#failed,
      changed: { count: this.#changedCount, first: this.#changed },
      bad: { count: this.#badCount, first: this.#bad },
      tokens: { input: this.#input, output: this.#output },
      answeredTokens: this.#answeredTokens,
      reserved: this.#reserved,
      needsModel: this.#needsModel,
      isOfFailures: this.#ofFailures > 0 && this.#ofFailures === this.#ids.size,
      sha256,
    };
    return { found, ids: this.#ids };
  }

  #answer(row: PlacedRow): void {
    this.#answered += 1;
    if (!this.#options.wantsAnsweredTokens) return;
    const { input, output } = this.#estimates.of(row);
    this.#answeredTokens.input += input;
    this.#answeredTokens.output += output;
  }

  #change(row: PlacedRow): void {
    this.#changedCount += 1;
    if (this.#changed.length < MOST_CHANGED) this.#changed.push(row);
  }

  #add(row: PlacedRow): void {
    const { sample, random, wantsTokens } = this.#options;
    this.#left += 1;
    const { input, output, cost } = this.#estimates.of(row);
    this.#input += input;
    this.#output += output;
    if (wantsTokens) this.#reserved.push(cost.tokens);
    if (sample === undefined) return this.#todo.add(row.line);
    // Reservoir sampling: each row is in the sample with the same chance, however many there are.
    const at = this.#left <= sample ? this.#left - 1 : Math.floor(random() * this.#left);
    if (at < sample) this.#sample[at] = row.line;
  }
}

/** The mistake of a row whose name another one has. */
export function duplicate({ line, customId }: PlacedRow, first: number): BadLine {
  return { line, rule: `custom_id must be unique, and line ${first} has it too`, value: JSON.stringify(customId) };
}
