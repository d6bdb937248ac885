export { diffReports } from "./diff.ts";
export { formatDiff } from "./format.ts";
export { parseReport } from "../parse.ts";
