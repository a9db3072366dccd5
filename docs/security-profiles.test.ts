import { readFileSync } from "node:fs";
import { HandshakeError, type HandshakeFailure } from "@ocppj/core";
import { describe, expect, it } from "vitest";
import { refusalOfTls } from "../packages/node/src/handshake/profile-refusals.ts";
import { cipherSuites, securityProfiles } from "../packages/node/src/tls/security-profile.ts";
import { tableBelow } from "./tables.ts";

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const page = text("security-profiles.md");

/** The rows of the table with this head, as plain text. */
const tableOf = (markdown: string, head: string): string[][] =>
  tableBelow(markdown, head).map((row) => row.map((cell) => cell.replaceAll("`", "")));

/** The members of a union of strings in a source. */
function unionIn(path: string, from: string): string[] {
  const [, after = ""] = text(path).split(from);
  const [union = ""] = after.split(";");
  return [...union.matchAll(/\| "([\w-]+)"/g)].map(([, name = ""]) => name);
}

const failures = unionIn("../packages/core/src/errors.ts", "type HandshakeFailure =") as HandshakeFailure[];
const refusals = unionIn("../packages/core/src/central-system/handshake-refusal.ts", "readonly reason:\n");

describe("security-profiles.md", () => {
  it("has a row for each profile", () => {
    const rows = tableOf(page, "| profile | URL | the charge point shows | the central system shows |");
    const expected = Object.entries(securityProfiles).map(([profile, { scheme, basic, clientCertificate }]) => [
      profile,
      scheme ?? "ws or wss",
      basic ? "its AuthorizationKey" : clientCertificate ? "a certificate" : "what it is given",
    ]);

    expect(rows.map((row) => row.slice(0, 3))).toEqual(expected);
  });

  it("names all cipher suites and no other", () => {
    const [, list = ""] = page.split("One of these cipher suites: ");
    const [suites = ""] = list.split(".");

    expect([...suites.matchAll(/`([\w-]+)`/g)].map(([, name]) => name)).toEqual(cipherSuites);
  });

  it("has the security event of every reason that has one, and of `tls`", () => {
    const rows = tableOf(page, "| `reason` | `securityEvent` | the central system … |");
    const eventOf = (reason: HandshakeFailure) => new HandshakeError(reason, "No.", { url: "wss://a" }).securityEvent;
    const expected = failures
      .filter((reason) => reason === "tls" || eventOf(reason) !== undefined)
      .map((reason) => [reason, eventOf(reason) ?? "none"]);

    expect(rows.map((row) => row.slice(0, 2)).sort()).toEqual(expected.sort());
  });

  it("has every reason for which a TLS handshake can be refused", () => {
    const rows = tableOf(page, "| `reason` | HTTP | the charge point … |").map(([reason]) => reason);
    const tls = refusals.filter((reason) => /^(tls|certificate)/.test(reason));

    expect(rows.sort()).toEqual([...tls, "unauthorized"].sort());
  });

  it("says which of them are not answered", () => {
    const rows = tableOf(page, "| `reason` | HTTP | the charge point … |");
    const codes = {
      "certificate-refused": "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
      "tls-version": "ERR_SSL_UNSUPPORTED_PROTOCOL",
      "tls-cipher": "ERR_SSL_NO_SHARED_CIPHER",
      tls: "ERR_SSL_HTTP_REQUEST",
    };
    const unanswered = rows.filter(([, status]) => status === "none").map(([reason]) => reason);

    expect(unanswered.sort()).toEqual(Object.keys(codes).sort());
    for (const [reason, code] of Object.entries(codes)) {
      const refusal = refusalOfTls(Object.assign(new Error("no"), { code }), {} as never, 1);
      expect(refusal).toMatchObject({ reason });
      expect(refusal).not.toHaveProperty("status");
    }
  });
});

describe("errors.md", () => {
  it("has a row for every reason of a HandshakeError", () => {
    const rows = tableOf(text("errors.md"), "| `reason` | means | do |");
    const reasons = rows.flatMap(([cell = ""]) => cell.split(", "));

    expect(reasons.sort()).toEqual([...failures].sort());
  });
});
