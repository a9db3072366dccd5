import type { IncomingMessage } from "node:http";
import type { OptionRule } from "@ocppj/core";
import { withoutQuery } from "../peer-text.ts";

/** The path and the query of a request, also of one that gives the whole URL as if to a proxy. [RFC 9112 §3.2.2] */
export const targetOf = ({ url = "" }: IncomingMessage): string => url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "");

/** The path alone. */
export const pathOf = (request: IncomingMessage): string => withoutQuery(targetOf(request));

/** The rule of an option that is a path. */
export const pathRule = (example: string): OptionRule => ({
  give: `a path like "${example}"`,
  takes: (path) => typeof path === "string" && /^\/[^?#]*$/.test(path),
});
