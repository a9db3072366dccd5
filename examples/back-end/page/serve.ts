import { readFileSync } from "node:fs";
import type { FastifyInstance } from "fastify";

const files = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
] as const;

/**
 * What the page shows comes from chargers, and a charger may say anything. The page writes all of it as text; should it
 * ever fail to, the browser still runs nothing but our own file.
 */
const headers = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

/** Serves the live page. */
export function servePage(api: FastifyInstance): void {
  for (const [path, file, type] of files) {
    const content = readFileSync(new URL(file, import.meta.url));
    api.get(path, (_request, reply) => reply.headers({ ...headers, "Content-Type": type }).send(content));
  }
}
