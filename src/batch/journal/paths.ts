/** The files of one batch. */
export interface BatchPaths {
  readonly output: string;
  /** Rows that failed, as valid input. */
  readonly errors: string;
  /** Lines of the input that are no rows. */
  readonly badLines: string;
  readonly journal: string;
  readonly summary: string;
  readonly lock: string;
}

/** Standard input, or standard output. */
export const STDIO = "-";

/** `prompts.jsonl` → `prompts.out.jsonl`. */
export function defaultOutput(input: string): string {
  return `${stem(input)}.out.jsonl`;
}

/** All stand beside the output. Without an output file the failures stand beside the input, or in the working directory. */
export function batchPaths(input: string, output: string): BatchPaths {
  const base = output !== STDIO ? stem(output) : input !== STDIO ? stem(input) : "batch";
  return {
    output,
    errors: `${base}.errors.jsonl`,
    badLines: `${base}.bad-lines.jsonl`,
    journal: `${base}.journal.jsonl`,
    summary: `${base}.summary.json`,
    lock: `${base}.lock`,
  };
}

function stem(path: string): string {
  return path.replace(/\.(?:jsonl|ndjson|json)$/, "");
}
