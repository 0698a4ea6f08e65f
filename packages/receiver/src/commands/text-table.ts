/** Tables for terminals and for Markdown; the first row is the header. */

/** Columns of even width, two spaces apart. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => printable(row[column]).length)),
  );
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => printable(cell).padEnd(widths[column] as number));
    return `  ${cells.join("  ").trimEnd()}\n`;
  });
  return lines.join("");
}

/** The same for a comment on a pull request. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [header = [], ...body] = rows;
  const rule = header.map(() => "---");
  return [header, rule, ...body].map(markdownRow).join("");
}

function markdownRow(row: readonly string[]): string {
  return `| ${row.map((cell) => printable(cell).replaceAll("|", "\\|")).join(" | ")} |\n`;
}

/** Names come from outside; control characters would move the cursor. */
function printable(cell = ""): string {
  return cell.replaceAll(/\p{Cc}/gu, "\uFFFD");
}
