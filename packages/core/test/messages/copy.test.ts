import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { actions } from "../../src/messages/actions.ts";
import { copierOf, invalid } from "../../src/messages/copy.ts";

const authorize = copierOf(actions.Authorize.req);

describe("copierOf", () => {
  it("keeps the order of the fields", () => {
    const conf = { interval: 300, currentTime: "2026-01-01T00:00:00Z", status: "Accepted" };
    expect(Object.keys(copierOf(actions.BootNotification.conf)(conf) as object)).toEqual(Object.keys(conf));
  });

  it("leaves out what is undefined, and writes what is inherited or computed as it was read", () => {
    class Card {
      readonly #uid = "04E91C5A";
      get idTag() {
        return this.#uid;
      }
      toJSON() {
        return { idTag: "FORGED" };
      }
    }
    expect(authorize(new Card())).toStrictEqual({ idTag: "04E91C5A" });
    expect(copierOf(actions.DataTransfer.req)({ vendorId: "v", data: undefined })).toStrictEqual({ vendorId: "v" });
  });

  it.each([
    ["a Date where a text belongs", actions.Heartbeat.conf, { currentTime: new Date(0) }],
    ["an own toJSON", actions.Authorize.req, { idTag: "TAG", toJSON: () => ({}) }],
    ["an own field named __proto__", actions.Authorize.req, JSON.parse('{ "idTag": "TAG", "__proto__": {} }')],
    ["a field that it does not know, even if it is undefined", actions.Authorize.req, { idTag: "TAG", tag: undefined }],
    ["a list in the place of an object", actions.Authorize.req, [{ idTag: "TAG" }]],
    ["an object in the place of a list", actions.GetConfiguration.req, { key: { 0: "HeartbeatInterval", length: 1 } }],
    ["a list without elements where there must be one", actions.MeterValues.req, { connectorId: 1, meterValue: [] }],
  ])("refuses %s", (_, schema, payload) => {
    expect(copierOf(schema)(payload)).toBe(invalid);
  });

  it("gives up at the first hole of a list, however long that is", () => {
    expect(copierOf(actions.GetConfiguration.req)({ key: new Array(2 ** 32 - 1) })).toBe(invalid);
  });

  it("obeys constraints on whole objects, with what was copied", () => {
    const copied = copierOf(z.strictObject({ a: z.int(), b: z.int() }).check(z.refine(({ a, b }) => a < b)));
    expect([copied({ a: 1, b: 2 }), copied({ a: 2, b: 1 })]).toEqual([{ a: 1, b: 2 }, invalid]);
  });

  it.each([
    [16.1 * 3, 48.3],
    [0.1 + 0.2, 0.3],
    [-1.1 * 3, -3.3],
    [32.00000001, 32],
    [8.1, 8.1],
    [1e21, 1e21],
    [900_719_925_474_099.1, 900_719_925_474_099.1],
  ])("makes a number with one decimal of %d [J-126]", (limit, one) => {
    const req = { connectorId: 1, csChargingProfiles: profile(limit) };
    expect(copierOf(actions.SetChargingProfile.req)(req)).toEqual({ connectorId: 1, csChargingProfiles: profile(one) });
  });

  it.each([48.31, 8.15, 48.300_001, Number.NaN])(
    "does not round %d, which has more than one decimal [J-126]",
    (limit) => {
      const req = { connectorId: 1, csChargingProfiles: profile(limit) };
      expect(copierOf(actions.SetChargingProfile.req)(req)).toBe(invalid);
    },
  );
});

const profile = (limit: number) => ({
  chargingProfileId: 1,
  stackLevel: 0,
  chargingProfilePurpose: "TxDefaultProfile",
  chargingProfileKind: "Relative",
  chargingSchedule: {
    chargingRateUnit: "A",
    chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    minChargingRate: limit,
  },
});
