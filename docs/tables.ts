/**
 * The rows of the first table below a line of a page, for the tests that hold tables against the sources.
 *
 * @param line - A heading, or the head of the table itself.
 * @returns Each row as the text of its cells, without the head.
 */
export function tableBelow(markdown: string, line: string): string[][] {
  const [, below = ""] = markdown.split(`\n${line}\n`);
  const [table = ""] = below.slice(below.indexOf("|---")).split("\n\n");
  return table
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
