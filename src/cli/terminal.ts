/** A stream that may be a terminal. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Whether colours are welcome: a terminal, and neither NO_COLOR nor TERM=dumb says otherwise (no-color.org). */
export function hasColor(terminal: Terminal, env: NodeJS.ProcessEnv): boolean {
  if ((env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb") return false;
  return terminal.isTTY === true;
}

type Paint = (text: string) => string;

/** The few colours that output uses. */
export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
}

const PLAIN: Paint = (text) => text;
const COLORED: Palette = {
  bold: escape("1"),
  dim: escape("2"),
  good: escape("32"),
  warn: escape("33"),
  bad: escape("31"),
};

export function paletteFor(color: boolean): Palette {
  return color ? COLORED : { bold: PLAIN, dim: PLAIN, good: PLAIN, warn: PLAIN, bad: PLAIN };
}

function escape(code: string): Paint {
  return (text) => (text === "" ? "" : `\u001B[${code}m${text}\u001B[0m`);
}
