/** The longest text of a peer's that is told. */
const most = 300;

/**
 * What a peer has said, fit for a log: one line, without what a terminal would obey or what turns the direction of writing,
 * and not much of it.
 */
export function oneLine(text: string): string {
  const line = text.slice(0, most).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return text.length > most ? `${line}...` : line;
}
