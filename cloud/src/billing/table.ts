/** Aligns rows for a terminal: the first column to the left, the next `numeric` columns to the right, the rest left. */
export function formatTable(rows: readonly (readonly string[])[], numeric: number): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  return rows
    .map((row) =>
      row.map((cell, column) => pad(cell, widths[column]!, column > 0 && column <= numeric)).join('  '),
    )
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}

function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(width - widthOf(cell));
  return right ? space + cell : cell + space;
}

/** Terminal cells: a Chinese character takes two. */
function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += /[\u2E80-\u9FFF\uFF00-\uFF60]/.test(char) ? 2 : 1;
  return width;
}
