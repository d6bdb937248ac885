import type { BadLine } from "../input/parse-row.ts";
import type { Preflight } from "../input/preflight.ts";
import type { BatchPaths } from "../journal/paths.ts";
import type { Equipment, SendOptions } from "./equipment.ts";
import type { BatchProgress, RunEnding } from "./types.ts";

/** A batch from one file to another. */
export interface BatchFileOptions extends SendOptions {
  /** A file of rows, or `-` for standard input. */
  readonly input: string;
  /** Default: the input's name with `.out.jsonl`. `-` is standard output, where nothing can be resumed. */
  readonly output?: string | undefined;
  /** Of rows that name none. */
  readonly model?: string | undefined;
  /** Default `"completion"`: lines of the output stand in the order in which answers come. */
  readonly order?: "completion" | "input";
  /** Goes on although the input or the settings have changed; answers to rows that ask something else by now are dropped. */
  readonly force?: boolean;
  /** Forgets the failures of earlier runs, so that their rows are sent again. */
  readonly retryFailed?: boolean;
  /** Leaves lines out that are no rows, rather than refusing the input for them. */
  readonly skipBadLines?: boolean;
  /** Asks only so many rows, at random. */
  readonly sample?: number | undefined;
  /** Hears of lines of standard input that are no rows. */
  readonly badLine?: (problem: BadLine) => void;
  /** Looks only: nothing is written, nothing is sent. */
  readonly dryRun?: boolean;
  /** Where rows come from if `input` is `-`, and where answers go if `output` is. */
  readonly stdin?: AsyncIterable<Buffer>;
  readonly stdout?: NodeJS.WritableStream;
}

/** Why a batch does not begin. */
export type BatchRefusal =
  | { readonly kind: "bad_lines"; readonly count: number; readonly first: readonly BadLine[] }
  /** What has changed since the output was begun: one sentence each. */
  | { readonly kind: "changed"; readonly output: string; readonly changes: readonly string[] }
  /** A file that may not be what it is to be: another's, or a part of the output as its input. */
  | { readonly kind: "unsuitable"; readonly message: string }
  /** A file that cannot be read or written. */
  | { readonly kind: "unreadable"; readonly message: string };

/** What there is to do. Counts are `undefined` for standard input, which nobody knows in advance. */
export interface BatchPlan {
  readonly paths: BatchPaths;
  readonly preflight: Preflight | undefined;
  /** Bytes that a killed process had left of a line. */
  readonly repairedBytes: number;
  /** Of the journal, a crash has left so little that nothing is known of what went out before. */
  readonly isPastLost: boolean;
}

/** How a batch of files has ended. */
export interface BatchFileEnding {
  readonly ending: RunEnding;
  readonly progress: BatchProgress;
  readonly answeredBefore: number;
  readonly failedBefore: number;
  readonly badLines: number;
  /** What the answers cost that were there before; `undefined` without a price. */
  readonly costBefore: number | undefined;
}

/** A batch that is ready. Run it or close it. */
export interface BatchFile {
  readonly plan: BatchPlan;
  /** Once. Rejects where files cannot be read or written; what is written then stays good for the next run. */
  run(): Promise<BatchFileEnding>;
  progress(): BatchProgress;
  readonly equipment: Equipment;
  /** Begins nothing more. */
  drain(): void;
  /** Gives up what is in flight. */
  abort(): void;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** A batch that may run, or why it may not. */
export type OpenedBatch =
  | { readonly kind: "ready"; readonly batch: BatchFile }
  | { readonly kind: "refused"; readonly refusal: BatchRefusal };
