import type { Cell, Table, Tone } from "../tables/table.ts";

type Paint = (text: string) => string;

/** The few colours that output uses; cli's palette fits. */
export interface TextPalette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
}

/** No line is longer. */
export const TEXT_WIDTH = 100;
const GAP = "  ";
const LEAST_WIDTH = 10;

/**
 * A table as lines, at most `most` characters each: where it is wider, the widest columns of words are cut. Nothing where it
 * has no rows.
 */
export function tableLines(table: Table, palette: TextPalette, most: number = TEXT_WIDTH): readonly string[] {
  if (table.rows.length === 0) return [];
  const titles = table.columns.map(({ title }) => title);
  const texts = [titles, ...table.rows.map((row) => row.map(({ text }) => clean(text)))];
  const widest = titles.map((_, index) => Math.max(...texts.map((row) => (row[index] ?? "").length)));
  const widths = fit(table, widest, most);
  const write = (row: readonly Cell[]): string =>
    row
      .map(({ text, tone }, index) => {
        const width = widths[index] ?? 0;
        const cut = clip(clean(text), width);
        const room = " ".repeat(Math.max(0, width - cut.length));
        const painted = paint(palette, tone)(cut);
        return table.columns[index]?.align === "right" ? `${room}${painted}` : `${painted}${room}`;
      })
      .join(GAP)
      .trimEnd();
  return [
    ...(table.title === "" ? [] : [palette.bold(clip(clean(table.title), most))]),
    write(titles.map((text) => ({ text, tone: "dim" }))),
    ...table.rows.map(write),
  ];
}

/** Text from outside without what would move the cursor or turn the direction of writing. */
export function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return text.replace(/[\u0000-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/g, "�");
}

/** Words in lines of at most so many characters. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of clean(text).split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? clip(word, width) : `${line} ${word}`;
  }
  return [...lines, line];
}

function paint(palette: TextPalette, tone: Tone): Paint {
  return tone === "plain" ? (text) => text : palette[tone];
}

/** Takes from the widest columns of words until the table fits. */
function fit(table: Table, wanted: readonly number[], most: number): readonly number[] {
  const widths = [...wanted];
  const total = (): number => widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  while (total() > most) {
    const words = widths.map((width, index) => (table.columns[index]?.align === "left" ? width : 0));
    const widest = words.indexOf(Math.max(...words));
    if ((widths[widest] ?? 0) <= LEAST_WIDTH) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
