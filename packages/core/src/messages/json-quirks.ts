/*
 * Texts that are nearly JSON, and how they are read where only one reading is possible. A text is cut into tokens, which
 * takes time in proportion to its length, whatever is in it.
 */

/** Changes the tokens of a text; the same text when there is nothing to change. */
function rewritten(text: string, change: (tokens: readonly string[]) => readonly string[]): string {
  const tokens = tokensOf(text);
  const changed = change(tokens);
  return changed.length === tokens.length ? text : changed.join("");
}

/** Reads `"name":,` and `"name":}` as if the field were not there. */
export function withoutLeftOutFields(text: string): string {
  return rewritten(text, (tokens) => {
    const kept: string[] = [];
    for (const token of tokens) {
      const endsField = token === "," || token === "}";
      if (!endsField || kept.at(-1) !== ":" || !isName(kept)) {
        kept.push(token);
        continue;
      }
      kept.length -= 2;
      // Its comma goes with it: the one behind it, or, behind the last field, the one before it.
      if (token === "}" && kept.at(-1) === ",") kept.pop();
      if (token === "}") kept.push(token);
    }
    return kept;
  });
}

/** Whether the last two tokens are the name of a field and its colon. */
const isName = (tokens: readonly string[]): boolean =>
  isString(tokens.at(-2)) && (tokens.at(-3) === "{" || tokens.at(-3) === ",");

/** Behind which, in a list, a value may be left out. */
const noValue: ReadonlySet<string | undefined> = /* @__PURE__ */ new Set([",", "["]);

/** Reads a comma before the end of a list or an object, or one too many between two fields, as if it were not there. */
export function withoutExtraCommas(text: string): string {
  return rewritten(text, (tokens) => {
    const kept: string[] = [];
    const open: string[] = [];
    for (const token of tokens) {
      const last = kept.at(-1);
      if (token === "[" || token === "{") open.push(token);
      if (token === "]" || token === "}") {
        open.pop();
        if (last === "," && !noValue.has(kept.at(-2))) kept.pop();
      }
      // In a list, nothing between two commas may also be a value that was left out; behind the frame there is nothing.
      const isExtra = token === "," && (open.length === 0 || (open.at(-1) === "{" && (last === "," || last === "{")));
      if (!isExtra) kept.push(token);
    }
    return kept;
  });
}

/** Puts the brackets behind a text that are missing at its end: behind a value that is whole, as a number may not be. */
export function withClosingBrackets(text: string): string {
  return rewritten(text, (tokens) => {
    const open: string[] = [];
    for (const token of tokens) {
      if (token === "[") open.push("]");
      else if (token === "{") open.push("}");
      else if ((token === "]" || token === "}") && open.pop() !== token) return tokens;
    }
    const last = tokens.at(-1);
    return last === "]" || last === "}" || isString(last) ? [...tokens, ...open.reverse()] : tokens;
  });
}

const isString = (token = ""): boolean => token.startsWith('"');

/** Strings, brackets, colons and commas, and what is between them, without white space; none if a string does not end. */
function tokensOf(text: string): readonly string[] {
  const tokens: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = endOfToken(text, start);
    if (end === undefined) return [];
    const token = text.slice(start, end).trim();
    if (token !== "") tokens.push(token);
    start = end;
  }
  return tokens;
}

const punctuation = "[]{},:";

function endOfToken(text: string, start: number): number | undefined {
  if (text[start] === '"') return endOfString(text, start);
  if (punctuation.includes(text[start] ?? "")) return start + 1;
  let end = start + 1;
  while (end < text.length && text[end] !== '"' && !punctuation.includes(text[end] ?? "")) end++;
  return end;
}

function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return undefined;
}
