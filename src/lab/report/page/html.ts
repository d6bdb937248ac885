import type { Cell, Column, Table } from "../tables/table.ts";

/** Text as HTML shows it, in an element or in an attribute between double quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** JSON that can stand in a script element: nothing in it can end the element or begin a comment. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

/** A table with its title; nothing where it has no rows. */
export function htmlTable(table: Table): string {
  if (table.rows.length === 0) return "";
  const head = table.columns
    .map((column) => `<th scope="col"${classOf(column)}>${escapeHtml(column.title)}</th>`)
    .join("");
  const rows = table.rows.map(
    (row) => `<tr>${row.map((entry, index) => htmlCell(entry, table.columns[index])).join("")}</tr>`,
  );
  return `<h3>${escapeHtml(table.title)}</h3>
<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

/** The same, folded away behind its title. */
export function foldedTable(table: Table): string {
  if (table.rows.length === 0) return "";
  const body = htmlTable(table).replace(/^<h3>.*<\/h3>\n/, "");
  return `<details><summary>${escapeHtml(table.title)} <small>${table.rows.length} rows</small></summary>${body}</details>`;
}

function htmlCell({ text, tone }: Cell, column: Column | undefined): string {
  const classes = [column?.align === "right" ? "number" : "", tone === "plain" ? "" : tone].filter(
    (name) => name !== "",
  );
  const attribute = classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
  return `<td${attribute}>${escapeHtml(text)}</td>`;
}

function classOf({ align }: Column): string {
  return align === "right" ? ' class="number"' : "";
}
