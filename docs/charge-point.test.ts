import { readFileSync } from "node:fs";
import { actions, ChargePoint, configurationKeys } from "@ocppj/core";
import { describe, expect, it } from "vitest";
import { kinds } from "../packages/core/test/charge-point/simulation-schedule.ts";
import { events } from "../packages/core/test/charge-point/vocabulary.ts";
import { tableBelow } from "./tables.ts";

const page = readFileSync(new URL("charge-point.md", import.meta.url), "utf8");

const tableOf = (heading: string): string[][] => tableBelow(page, `## ${heading}`);

const codeIn = (cell = ""): string => cell.replaceAll("`", "");

describe("charge-point.md", () => {
  it("says of every action of a Central System who answers it", () => {
    const answered = tableOf("What the central system may ask").flatMap(([cell = ""]) => cell.split(", "));
    const asked = Object.entries(actions).filter(([, { from }]) =>
      (from as readonly string[]).includes("CentralSystem"),
    );

    expect(answered.sort()).toEqual(asked.map(([action]) => action).sort());
  });

  it("lists every event", () => {
    expect(
      tableOf("Events")
        .map(([name]) => codeIn(name))
        .sort(),
    ).toEqual([...events].sort());
  });

  it.each(["call", "deliver"] as const)("names every action that `%s` refuses, and no other", async (method) => {
    const chargePoint = new ChargePoint({
      identity: "CP001",
      url: "ws://127.0.0.1:1/",
      connect: () => new Promise(() => {}),
      boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
    });
    await chargePoint.start();
    const sendable = Object.entries(actions).filter(([, { from }]) =>
      (from as readonly string[]).includes("ChargePoint"),
    );
    const refused: string[] = [];
    for (const [action] of sendable) {
      const send = chargePoint[method] as (action: string, req: object) => unknown;
      const error = await Promise.resolve()
        .then(() => send.call(chargePoint, action, { nothing: "of any action" }))
        .catch((error: unknown) => error);
      if (error instanceof TypeError) refused.push(action);
    }
    await chargePoint.stop();

    const [, section = ""] = page.split("## What you can send\n");
    const [, four = "", two = ""] =
      /Four actions both refuse([\s\S]+?)Two more `deliver` refuses([\s\S]+?)\[/.exec(section) ?? [];
    const named = (method === "call" ? four : four + two).match(/\b[A-Z]\w+[a-z][A-Z]\w+|Authorize|Heartbeat/g);
    expect(named?.sort()).toEqual(refused.sort());
  });

  it("promises something for everything that the simulation brings about, and for nothing else", () => {
    const simulated = tableOf("What is promised").flatMap(([, , , cell = ""]) => codeIn(cell).split(", "));

    expect(simulated.sort()).toEqual([...kinds].sort());
  });

  it("tells the defaults of the keys that are obeyed", () => {
    const defaults = tableOf("Configuration keys").map(([key, value]) => [codeIn(key), value]);

    for (const [key = "", value = ""] of defaults) {
      const definition: object = configurationKeys[key as keyof typeof configurationKeys];
      expect([key, value.replace(/not set.*/, "undefined")]).toEqual([
        key,
        String("default" in definition ? definition.default : undefined),
      ]);
    }
    expect(defaults).toHaveLength(9);
  });

  it("names for every requirement a file with a test of it", () => {
    const rows = tableOf("Requirements that the library obeys");

    for (const [ids = "", , link = ""] of rows) {
      const [, path = ""] = /\]\((.+)\)/.exec(link) ?? [];
      const tests = readFileSync(new URL(path, import.meta.url), "utf8");
      for (const id of ids.split(", ").flatMap(range)) expect(tests, `${path} [${id}]`).toContain(`[${id}]`);
    }
    expect(rows.length).toBeGreaterThan(20);
  });
});

/** `J-160` as it is, `J-160 … J-163` as all four. */
function range(text: string): string[] {
  const [from = "", to = from] = text.split(" … ");
  const [, prefix = "", first = ""] = /^(.*-)(\d+)$/.exec(from) ?? [];
  const last = Number(to.slice(prefix.length));
  const numbers = Array.from({ length: last - Number(first) + 1 }, (_, index) => Number(first) + index);
  return numbers.map((number) => prefix + String(number).padStart(first.length, "0"));
}
