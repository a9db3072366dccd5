/* What a peer has sent, in the sentences of the doctor: strangers can send anything, and these end up in logs. */

/** The text without what a terminal or a log would obey: printable ASCII stays. */
export const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");

/** The text in quotation marks, printable, and not much of it. */
export function quote(text: string): string {
  const shown = printable(text);
  return shown.length > 100 ? `"${shown.slice(0, 100)}" and more` : `"${shown}"`;
}

/** A URL, or the path in one, without the query, which may be secret. */
export const withoutQuery = (url: string): string => url.replace(/\?.*/s, "");
