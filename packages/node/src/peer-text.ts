/* What a peer has sent, in the sentences of the doctor: strangers can send anything, and these end up in logs. */

/** The text without what a terminal or a log would obey: printable ASCII stays. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");

/** How much of a text is told. */
const most = 100;

/** The text in quotation marks, printable, and not much of it. */
export function quote(text: string, longest = most): string {
  const shown = printable(text.slice(0, longest));
  return text.length > longest ? `"${shown}" and more` : `"${shown}"`;
}

/** The text, printable, and not much of it; for a value that stands by itself. */
export function shortened(text: string, longest = most): string {
  const shown = printable(text.slice(0, longest));
  return text.length > longest ? `${shown}...` : shown;
}

/** A URL, or the path in one, without the query, which may be secret. */
export const withoutQuery = (url: string): string => url.replace(/\?.*/s, "");
