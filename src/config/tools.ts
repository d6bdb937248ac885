/*
 * What a file of another kind needs to be read as `headgate.yaml` is: values with positions, every mistake at once, and the
 * same words for the same mistake.
 */
export { error, NAME, NAME_RULE, warning } from "./checks/finding.ts";
export type { ConfigSource } from "./document.ts";
export { openDocument } from "./document.ts";
export { choice, count, duration, field, orVariable, percent, readPart, text, toggle } from "./fields/field.ts";
export { modelName } from "./fields/names.ts";
export type { Guide } from "./guide.ts";
export { toFindings } from "./issues.ts";
export { judge } from "./judge.ts";
export { Outline } from "./outline.ts";
export type { Verdict } from "./parse.ts";
export { LARGEST_FILE, parseText } from "./parse.ts";
export { isMapping, valueAt } from "./plain.ts";
export type { ConfigPath, Finding, Problem } from "./problem.ts";
export { wholeFile } from "./problem.ts";
export type { FileText } from "./read.ts";
export { readText } from "./read.ts";
export { formatEntry } from "./reference.ts";
export { formatPath, quote } from "./show.ts";
export { closest } from "./suggest.ts";
export type { Range, Reading } from "./units.ts";
export { formatDuration, readCount, readDuration } from "./units.ts";
