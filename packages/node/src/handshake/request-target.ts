import type { IncomingMessage } from "node:http";

/** The path and the query of a request, also of one that gives the whole URL as if to a proxy. [RFC 9112 §3.2.2] */
export const targetOf = ({ url = "" }: IncomingMessage): string => url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "");
