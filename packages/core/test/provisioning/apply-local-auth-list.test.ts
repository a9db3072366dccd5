import { beforeEach, describe, expect, test } from "vitest";
import {
  applyLocalAuthList,
  CallError,
  type KnownIdTag,
  type LocalAuthListSending,
  type Req,
} from "../../src/index.ts";
import { ScriptedCharger } from "./scripted-charger.ts";

const entry = (idTag: string, status: "Accepted" | "Blocked" = "Accepted"): KnownIdTag => ({
  idTag,
  idTagInfo: { status },
});
const [a, b, c, d, e] = ["A", "B", "C", "D", "E"].map((idTag) => entry(idTag)) as [
  KnownIdTag,
  KnownIdTag,
  KnownIdTag,
  KnownIdTag,
  KnownIdTag,
];

let charger: ScriptedCharger;
beforeEach(() => {
  charger = new ScriptedCharger();
  charger.keys.set("SendLocalListMaxLength", { value: "2", readonly: true });
  charger.keys.set("LocalAuthListMaxLength", { value: "4", readonly: true });
});

const apply = (wanted: readonly KnownIdTag[], options: LocalAuthListSending = {}) =>
  charger.outcome(applyLocalAuthList(charger.connection, wanted, options));

/** What was sent: type, version, and the entries, of which those to be deleted have a minus. */
const sent = (): string[] =>
  charger.of<Req<"SendLocalList">>("SendLocalList").map(({ listVersion, localAuthorizationList = [], updateType }) => {
    const entries = localAuthorizationList.map(({ idTag, idTagInfo }) => `${idTagInfo ? "" : "-"}${idTag}`);
    return `${updateType} ${listVersion} ${entries.join()}`;
  });

function has(listVersion: number, ...entries: KnownIdTag[]): void {
  charger.listVersion = listVersion;
  for (const known of entries) charger.list.set(known.idTag.toLowerCase(), known);
}

describe("applyLocalAuthList", () => {
  test("sends the whole list in pieces when nobody knows what is there [LAL-20, LAL-22, LAL-25]", async () => {
    has(7, e);
    expect(await apply([a, b, c])).toEqual({ status: "Accepted", list: { listVersion: 9, entries: [a, b, c] } });
    expect(sent()).toEqual(["Full 8 A,B", "Differential 9 C"]);
  });

  test("sends differences when the version is that of the known list, deletions first [LAL-25, LAL-28]", async () => {
    has(7, a, b, c, d);
    const known = { listVersion: 7, entries: [a, b, c, d] };
    await apply([entry("a"), entry("B", "Blocked"), d, e], { known });
    expect(sent()).toEqual(["Differential 8 -C,B", "Differential 9 E"]);
    expect(charger.longestList).toBeLessThanOrEqual(4);
  });

  test("sends the whole list when that takes fewer pieces, and empties it at once [LAL-23]", async () => {
    has(7, a, b, c, d);
    expect(await apply([], { known: { listVersion: 7, entries: [a, b, c, d] } })).toMatchObject({
      status: "Accepted",
      list: { listVersion: 0 },
    });
    expect(sent()).toEqual(["Full 8 "]);
  });

  test.each(["VersionMismatch", "Failed"] as const)("sends the whole list after %s [LAL-30]", async (fault) => {
    has(7, a);
    charger.listFaults.push(fault);
    expect(await apply([a, b], { known: { listVersion: 7, entries: [a] } })).toMatchObject({ status: "Accepted" });
    expect(sent()).toEqual(["Differential 8 B", "Full 9 A,B"]);
  });

  test("tells when the whole list is refused, too", async () => {
    charger.listFaults.push("Failed", "Failed");
    expect(await apply([a])).toEqual({ status: "Failed" });
    charger.listFaults.push("CALLERROR", "CALLERROR", "CALLERROR");
    expect(await apply([a])).toEqual({ status: "Failed", error: expect.any(CallError) });
  });

  test("sends nothing to a list that is the same already, or that is empty and should be [LAL-11]", async () => {
    expect(await apply([])).toEqual({ status: "Unchanged", list: { listVersion: 0, entries: [] } });
    has(7, a);
    const known = { listVersion: 7, entries: [a] };
    expect(await apply([entry("a")], { known })).toMatchObject({ status: "Unchanged" });
    expect(sent()).toEqual([]);
  });

  test("sends nothing that the list cannot hold", async () => {
    expect(await apply([a, b, c, d, e])).toEqual({ status: "TooLong", localAuthListMaxLength: 4 });
    expect(sent()).toEqual([]);
  });

  test("knows a charger without a list by -1 [LAL-12]", async () => {
    charger.listVersion = -1;
    expect(await apply([a])).toEqual({ status: "NotSupported" });
    expect(sent()).toEqual([]);
  });

  test("begins to count anew where the versions end [LAL-21, LAL-28]", async () => {
    has(2 ** 31 - 1, a);
    await apply([a, b], { known: { listVersion: 2 ** 31 - 1, entries: [a] } });
    expect(sent()).toEqual(["Full 1 A,B"]);
  });

  test("tells that a charger has accepted a list and not taken it", async () => {
    const wanted = apply([a]);
    Object.defineProperty(charger, "listVersion", { get: () => 3, set: () => {} });
    expect(await wanted).toEqual({ status: "Ignored" });
  });

  test.each<[string, unknown, unknown]>([
    ["an idTag that occurs twice [LAL-26]", [a, entry("a")], {}],
    ["an entry without idTagInfo [LAL-27]", [{ idTag: "A" }], {}],
    ["an idTag that is too long", [entry("x".repeat(21))], {}],
    ["what is no list", "A", {}],
    ["a known list that is none", [a], { known: { listVersion: 1 } }],
    ["an option that it does not have", [a], { version: 1 }],
  ])("refuses %s, and sends nothing", async (_, wanted, options) => {
    expect(await apply(wanted as never, options as never)).toSatisfy((error: Error) =>
      ["PayloadError", "TypeError"].includes(error.name),
    );
    expect(charger.received).toEqual([]);
  });
});
