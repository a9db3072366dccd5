import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connectionUrl, identityFromPath } from "../../src/index.ts";

describe("connectionUrl", () => {
  test.each([
    ["ws://centralsystem.example.com/ocpp", "CP001", "ws://centralsystem.example.com/ocpp/CP001", "[J-004] [J-005]"],
    [
      "wss://centralsystem.example.com/ocppj",
      "RDAM 123",
      "wss://centralsystem.example.com/ocppj/RDAM%20123",
      "[J-006]",
    ],
    ["ws://example.com/ocpp/", "CP001", "ws://example.com/ocpp/CP001", "[J-007]"],
    ["ws://example.com", "CP001", "ws://example.com/CP001", "[J-005]"],
    ["wss://example.com/ocpp?tenant=a/b", "CP001", "wss://example.com/ocpp/CP001?tenant=a/b", "[J-007]"],
    ["wss://example.com/ocpp/?tenant=1", "CP001", "wss://example.com/ocpp/CP001?tenant=1", "[J-007]"],
    ["ws://[::1]:8080/ocpp", "a/b", "ws://[::1]:8080/ocpp/a%2Fb", "[J-008]"],
    ["WS://Example.com/ocpp", "100%", "WS://Example.com/ocpp/100%25", "[J-006]"],
    ["ws://example.com/ocpp", "köln?#1", "ws://example.com/ocpp/k%C3%B6ln%3F%231", "[J-006]"],
  ])("extends %s by the identity %s to %s %s", (endpoint, identity, url) => {
    expect(connectionUrl(endpoint, identity)).toBe(url);
  });

  test.each([
    ["http://example.com/ocpp"],
    ["example.com/ocpp"],
    ["ws://"],
    ["ws:///ocpp"],
    ["ws://example.com/#a"],
    [""],
  ])("refuses the endpoint URL %j", (endpoint) => {
    expect(() => connectionUrl(endpoint, "CP001")).toThrow(TypeError);
  });

  test.each([[""], ["."], [".."], ["\ud800"]])(
    "refuses the identity %j, which would not survive in a URL",
    (identity) => {
      expect(() => connectionUrl("ws://example.com/ocpp", identity)).toThrow(TypeError);
    },
  );
});

describe("identityFromPath", () => {
  test.each([
    ["/ocpp/CP001", "/ocpp", "CP001"],
    ["/ocpp/CP001?x=1/2", "/ocpp", "CP001"],
    ["/ocpp/CP001", "/ocpp/", "CP001"],
    ["/CP001", "/", "CP001"],
    ["/ocpp/a%2Fb", "/ocpp", "a/b"],
    ["/ocpp/100%2525", "/ocpp", "100%25"],
    ["/ocpp/cp001", "/ocpp", "cp001"],
  ])("finds in %s below %s the identity %s, decoded once [J-008] [J-012]", (path, endpointPath, identity) => {
    expect(identityFromPath(path, endpointPath)).toBe(identity);
  });

  test.each([
    ["/ocpp", "/ocpp"],
    ["/ocpp/", "/ocpp"],
    ["/other/CP001", "/ocpp"],
    ["/ocppCP001", "/ocpp"],
    ["/ocpp/CP001/", "/ocpp"],
    ["/ocpp/a/b", "/ocpp"],
    ["/ocpp/%", "/ocpp"],
    ["/ocpp/%ff", "/ocpp"],
    ["/ocpp/%E0%A4%A", "/ocpp"],
    ["", "/ocpp"],
  ])("finds no identity in %j below %s [J-008] [trap 1]", (path, endpointPath) => {
    expect(identityFromPath(path, endpointPath)).toBeUndefined();
  });

  test("finds every identity that connectionUrl put into a URL, as the URL parser of a peer sees it [J-006] [J-008]", () => {
    const identities = fc
      .string({ minLength: 1, unit: "binary" })
      .filter((identity) => identity !== "." && identity !== "..");
    fc.assert(
      fc.property(identities, fc.constantFrom("", "/", "/ocpp", "/a/b/"), (identity, path) => {
        const { pathname } = new URL(connectionUrl(`wss://example.com${path}?q=1`, identity));
        expect(identityFromPath(pathname, path === "" ? "/" : path)).toBe(identity);
      }),
    );
  });
});
