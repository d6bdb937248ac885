import { paletteFor } from "../../src/cli/terminal.ts";

export const PLAIN = paletteFor(false);
export const COLORED = paletteFor(true);
