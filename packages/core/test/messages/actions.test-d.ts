import { describe, expectTypeOf, it } from "vitest";
import type { Action, ActionFrom, ActionTo, Conf, FeatureProfile, Req, Role } from "../../src/messages/actions.ts";
import { actions, isAction, maySend } from "../../src/messages/actions.ts";
import { check, parseConf, parseReq } from "../../src/messages/validate.ts";

type DateTime = string;

describe("Req and Conf", () => {
  it("are flat, readable objects with exactly the fields of the documents [J-061]", () => {
    expectTypeOf<Req<"BootNotification">>().toEqualTypeOf<{
      chargePointVendor: string;
      chargePointModel: string;
      chargePointSerialNumber?: string | undefined;
      chargeBoxSerialNumber?: string | undefined;
      firmwareVersion?: string | undefined;
      iccid?: string | undefined;
      imsi?: string | undefined;
      meterType?: string | undefined;
      meterSerialNumber?: string | undefined;
    }>();
    expectTypeOf<Conf<"BootNotification">>().toEqualTypeOf<{
      currentTime: DateTime;
      interval: number;
      status: "Accepted" | "Pending" | "Rejected";
    }>();
  });

  it("know nested objects, lists and enumerations", () => {
    expectTypeOf<Req<"MeterValues">["meterValue"][number]["sampledValue"][number]["format"]>().toEqualTypeOf<
      "Raw" | "SignedData" | undefined
    >();
    expectTypeOf<
      Req<"SetChargingProfile">["csChargingProfiles"]["chargingSchedule"]["chargingRateUnit"]
    >().toEqualTypeOf<"W" | "A">();
    expectTypeOf<Conf<"GetConfiguration">["unknownKey"]>().toEqualTypeOf<string[] | undefined>();
  });

  it("share the types that the documents share", () => {
    expectTypeOf<Conf<"Authorize">["idTagInfo"]>().toEqualTypeOf<Conf<"StartTransaction">["idTagInfo"]>();
    expectTypeOf<NonNullable<Req<"RemoteStartTransaction">["chargingProfile"]>>().toEqualTypeOf<
      Req<"SetChargingProfile">["csChargingProfiles"]
    >();
  });

  it("allow {} for a message without fields, and nothing else", () => {
    expectTypeOf<Record<never, never>>().toExtend<Conf<"StatusNotification">>();
    const heartbeat: Req<"Heartbeat"> = {};
    // @ts-expect-error a Heartbeat has no fields
    const more: Req<"Heartbeat"> = { currentTime: "2025-01-31T12:00:00Z" };
    void [heartbeat, more];
  });

  it("refuse missing, extra, misspelt and wrongly typed fields [trap 18]", () => {
    const accept = (..._: Req<"Authorize" | "StartTransaction">[]) => {};
    const authorize = (_: Req<"Authorize">) => {};
    const reset = (_: Req<"Reset">) => {};
    authorize({ idTag: "TAG" });
    // @ts-expect-error idTag is missing
    authorize({});
    // @ts-expect-error idtag is misspelt
    authorize({ idtag: "TAG" });
    // @ts-expect-error connectorId is not a field of Authorize
    authorize({ idTag: "TAG", connectorId: 1 });
    // @ts-expect-error idTag is text
    authorize({ idTag: 5 });
    // @ts-expect-error null is of no field's type
    authorize({ idTag: null });
    reset({ type: "Hard" });
    // @ts-expect-error no such value
    reset({ type: "hard" });
    // @ts-expect-error a date-time is text
    accept({ connectorId: 1, idTag: "TAG", meterStart: 0, timestamp: new Date() });
  });

  it("refuse a misspelt action [trap 18]", () => {
    // @ts-expect-error no such action
    type Lower = Req<"bootNotification">;
    // @ts-expect-error no such action
    type Suffixed = Conf<"BootNotification.conf">;
    // @ts-expect-error any text is no action
    type Any = Req<string>;
    expectTypeOf<[Lower, Suffixed, Any]>().not.toBeNever();
  });
});

describe("ActionFrom and ActionTo", () => {
  it("are the two directions, with DataTransfer in both [trap 18]", () => {
    type FromChargePoint =
      | "Authorize"
      | "BootNotification"
      | "DataTransfer"
      | "Heartbeat"
      | "MeterValues"
      | "StartTransaction"
      | "StatusNotification"
      | "StopTransaction"
      | "DiagnosticsStatusNotification"
      | "FirmwareStatusNotification"
      | "LogStatusNotification"
      | "SecurityEventNotification"
      | "SignCertificate"
      | "SignedFirmwareStatusNotification";
    expectTypeOf<ActionFrom<"ChargePoint">>().toEqualTypeOf<FromChargePoint>();
    expectTypeOf<ActionTo<"CentralSystem">>().toEqualTypeOf<FromChargePoint>();
    expectTypeOf<ActionFrom<"CentralSystem">>().toEqualTypeOf<Exclude<Action, FromChargePoint> | "DataTransfer">();
    expectTypeOf<ActionTo<"ChargePoint">>().toEqualTypeOf<ActionFrom<"CentralSystem">>();
  });

  it("are all actions for both roles together", () => {
    expectTypeOf<ActionFrom<Role>>().toEqualTypeOf<Action>();
    expectTypeOf<ActionTo<Role>>().toEqualTypeOf<Action>();
  });
});

describe("actions", () => {
  it("keep who may send each, and the profile, as literals", () => {
    expectTypeOf(actions.Reset.from).toEqualTypeOf<readonly ["CentralSystem"]>();
    expectTypeOf(actions.Reset.profile).toEqualTypeOf<"Core">();
    expectTypeOf(actions.GetLog.profile).toEqualTypeOf<undefined>();
    expectTypeOf<(typeof actions)[Action]["profile"]>().toEqualTypeOf<FeatureProfile | undefined>();
  });

  it("cannot be reassigned", () => {
    // @ts-expect-error the table is read-only
    actions.Reset = actions.ClearCache;
    // @ts-expect-error and so are its rows
    actions.Reset.profile = "Core";
  });
});

describe("isAction and maySend", () => {
  it("narrow a name to an action, and an action to a direction", () => {
    const name: string = "Reset";
    if (!isAction(name)) return;
    expectTypeOf(name).toEqualTypeOf<Action>();
    if (maySend("ChargePoint", name)) expectTypeOf(name).toEqualTypeOf<ActionFrom<"ChargePoint">>();
  });
});

describe("parseReq and parseConf", () => {
  it("return the payload of the action that they are given", () => {
    expectTypeOf(parseReq<"Reset">).returns.toEqualTypeOf<Req<"Reset">>();
    expectTypeOf(parseConf<"Reset">).returns.toEqualTypeOf<Conf<"Reset">>();
  });
});

describe("check", () => {
  it("takes anything and returns the payload of the action and the kind", () => {
    expectTypeOf(check<"Reset", "req">).parameters.toEqualTypeOf<["Reset", "req", unknown]>();
    expectTypeOf(check<"Reset", "req">).returns.toEqualTypeOf<Req<"Reset">>();
    expectTypeOf(check<"Reset", "conf">).returns.toEqualTypeOf<Conf<"Reset">>();
  });
});
