/** How a cell is meant. Where there are no colours the text alone must say it. */
export type Tone = "plain" | "bold" | "dim" | "good" | "warn" | "bad";

export interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** A table, to be written as text or as HTML. Each row has a cell for each column. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

export function cell(text: string, tone: Tone = "plain"): Cell {
  return { text, tone };
}

export function left(title: string): Column {
  return { title, align: "left" };
}

export function right(title: string): Column {
  return { title, align: "right" };
}
