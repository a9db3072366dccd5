import { describe, expect, test } from "vitest";
import { PayloadError } from "../../src/errors.ts";
import { type Action, actions, isAction } from "../../src/messages/actions.ts";
import { quirks, vendorQuirks } from "../../src/messages/quirks.ts";
import { type Quirk, repairFrame, repairPayload } from "../../src/messages/tolerance.ts";
import { parseConf, parseReq } from "../../src/messages/validate.ts";
import { decode, frameReader } from "../../src/rpc/frame.ts";
import { goldenExamples } from "./golden-examples.ts";

type Name = keyof typeof quirks;

const all: readonly Quirk[] = Object.values(quirks);
const allBut = (name: Name): readonly Quirk[] => all.filter((quirk) => quirk.name !== name);

const now = "2026-01-01T00:00:00Z";
const receivedAt = "2026-01-02T00:00:00.000Z";
const boot = { chargePointVendor: "V", chargePointModel: "M" };
const sample = (fields: object) => ({
  connectorId: 1,
  meterValue: [{ timestamp: now, sampledValue: [{ value: "1", ...fields }] }],
});
const schedule = (limit: number) => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: "TxDefaultProfile",
    chargingProfileKind: "Relative",
    chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
  },
});
const status = (fields: object) => ({ connectorId: 1, errorCode: "NoError", status: "Faulted", ...fields });
const start = (fields: object) => ({ connectorId: 1, idTag: "A", meterStart: 7, timestamp: now, ...fields });
const stop = (fields: object) => ({ transactionId: 1, meterStop: 7, timestamp: now, ...fields });
const key = (fields: object) => ({ configurationKey: [{ key: "K", readonly: true, value: "1", ...fields }] });
const x = (length: number): string => "x".repeat(length);

interface Case {
  readonly name: Name;
  readonly message: `${Action}.${"req" | "conf"}`;
  readonly sent: unknown;
  /** What the handler gets; the same as `sent` where the value is let through. */
  readonly got?: unknown;
  readonly paths: readonly string[];
}

const one = (
  name: Name,
  message: Case["message"],
  path: string | readonly string[],
  sent: unknown,
  got?: unknown,
): Case => ({
  name,
  message,
  sent,
  ...(got !== undefined && { got }),
  paths: [path].flat(),
});

const limit = "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit";
const sampled = "meterValue[0].sampledValue[0]";

/** What each quirk of payloads forgives, and what becomes of it. */
const cases: readonly Case[] = [
  one("moreDecimals", "SetChargingProfile.req", limit, schedule(8.125)),
  one("nullFields", "BootNotification.req", "iccid", { ...boot, iccid: null }, boot),
  one("nullFields", "MeterValues.req", `${sampled}.unit`, sample({ unit: null }), sample({})),
  one("nullFields", "StopTransaction.conf", "idTagInfo", { idTagInfo: null }, {}),
  one("longTexts", "Authorize.req", "idTag", { idTag: x(21) }),
  one("longTexts", "BootNotification.req", "chargePointVendor", { ...boot, chargePointVendor: x(255) }),
  one("longTexts", "StatusNotification.req", "info", status({ info: "🔌".repeat(255) })),
  one(
    "emptyFields",
    "GetCompositeSchedule.conf",
    ["scheduleStart", "chargingSchedule"],
    {
      status: "Rejected",
      connectorId: 1,
      scheduleStart: "0",
      chargingSchedule: { duration: 0, startSchedule: null, chargingRateUnit: "", chargingSchedulePeriod: [] },
    },
    { status: "Rejected", connectorId: 1 },
  ),
  ...["", " ", "0", 0, []].map((scheduleStart) =>
    one(
      "emptyFields",
      "GetCompositeSchedule.conf",
      "scheduleStart",
      { status: "Rejected", scheduleStart },
      { status: "Rejected" },
    ),
  ),
  one("emptyFields", "MeterValues.req", `${sampled}.unit`, sample({ unit: "" }), sample({})),
  one("emptyFields", "MeterValues.req", "transactionId", { ...sample({}), transactionId: "" }, sample({})),
  one("emptyFields", "StopTransaction.conf", "idTagInfo", { idTagInfo: { status: "", parentIdTag: null } }, {}),
  one("emptyFields", "StopTransaction.req", "transactionData", stop({ transactionData: "" }), stop({})),
  one(
    "emptyFields",
    "GetInstalledCertificateIds.conf",
    "certificateHashData",
    { status: "NotFound", certificateHashData: [] },
    { status: "NotFound" },
  ),
  one("emptyFields", "RemoteStartTransaction.req", "connectorId", { idTag: "A", connectorId: 0 }, { idTag: "A" }),
  ...["", "0", 0, null, undefined].flatMap((timestamp) => [
    one(
      "missingTimes",
      "StartTransaction.req",
      "timestamp",
      start({ timestamp }),
      start({ timestamp: "2026-01-02T00:00:00.000Z" }),
    ),
    one(
      "missingTimes",
      "MeterValues.req",
      "meterValue[0].timestamp",
      { connectorId: 1, meterValue: [{ timestamp, sampledValue: [{ value: "1" }] }] },
      { connectorId: 1, meterValue: [{ timestamp: "2026-01-02T00:00:00.000Z", sampledValue: [{ value: "1" }] }] },
    ),
  ]),
  ...["", null, undefined].map((transactionId) =>
    one(
      "missingTransactionIds",
      "StopTransaction.req",
      "transactionId",
      stop({ transactionId }),
      stop({ transactionId: -1 }),
    ),
  ),
  ...["", "0", 0, null, undefined].flatMap((errorCode) => [
    one(
      "missingErrorCodes",
      "StatusNotification.req",
      "errorCode",
      status({ errorCode, status: "Available" }),
      status({ status: "Available" }),
    ),
    one(
      "missingErrorCodes",
      "StatusNotification.req",
      "errorCode",
      status({ errorCode }),
      status({ errorCode: "OtherError" }),
    ),
  ]),
  one("quotedNumbers", "StartTransaction.req", "meterStart", start({ meterStart: "7" }), start({})),
  one(
    "quotedNumbers",
    "StartTransaction.req",
    "meterStart",
    start({ meterStart: " -7.0 " }),
    start({ meterStart: -7 }),
  ),
  one("quotedNumbers", "SetChargingProfile.req", limit, schedule("8.1" as never), schedule(8.1)),
  // As prose writes them. [QD-13]
  ...[" accepted", "ACCEPTED", "Accepted\t"].map((sent) =>
    one("looseSpellings", "ClearCache.conf", "status", { status: sent }, { status: "Accepted" }),
  ),
  one("looseSpellings", "TriggerMessage.conf", "status", { status: "NOT_IMPLEMENTED" }, { status: "NotImplemented" }),
  one("looseSpellings", "MeterValues.req", `${sampled}.unit`, sample({ unit: "KWH" }), sample({ unit: "kWh" })),
  one("looseSpellings", "StatusNotification.req", "errorCode", status({ errorCode: "noerror" }), status({})),
  ...(
    [
      ["UnlockConnector", "Accepted", "Unlocked"],
      ["UnlockConnector", "Rejected", "UnlockFailed"],
      ["UnlockConnector", "failed", "UnlockFailed"],
      ["UnlockConnector", "NotImplemented", "NotSupported"],
      ["SendLocalList", "Rejected", "Failed"],
      ["ClearCache", "Unlocked", "Accepted"],
      ["TriggerMessage", "NotSupported", "NotImplemented"],
    ] as const
  ).map(([action, sent, got]) => one("foreignStatuses", `${action}.conf`, "status", { status: sent }, { status: got })),
  one("unknownValues", "MeterValues.req", `${sampled}.context`, sample({ context: "Sometimes" })),
  one("unknownValues", "MeterValues.req", `${sampled}.location`, sample({ location: "Roof" })),
  one("unknownValues", "MeterValues.req", `${sampled}.phase`, sample({ phase: "L1-L2-L3" })),
  one("unknownValues", "MeterValues.req", `${sampled}.format`, sample({ format: "OCMF" })),
  one("unknownValues", "StopTransaction.req", "reason", stop({ reason: "Timeout" })),
  one("unknownValues", "StatusNotification.req", "status", status({ status: "Occupied" })),
  one("unknownValues", "StatusNotification.req", "status", status({ status: "" })),
  one("unknownValues", "FirmwareStatusNotification.req", "status", { status: "Verifying" }),
  one("longTexts", "CertificateSigned.req", "certificateChain", { certificateChain: x(20_000) }),
  one("longTexts", "GetConfiguration.conf", "configurationKey[0].value", key({ value: x(1000) })),
  one("emptyLists", "MeterValues.req", "meterValue", { connectorId: 1, meterValue: [] }),
  one("emptyLists", "GetCompositeSchedule.conf", "chargingSchedule.chargingSchedulePeriod", {
    status: "Accepted",
    chargingSchedule: { duration: 60, chargingRateUnit: "A", chargingSchedulePeriod: [] },
  }),
  one("extraFields", "Authorize.req", "connectorId", { idTag: "A", connectorId: 2 }, { idTag: "A" }),
  one("extraFields", "MeterValues.req", `${sampled}.vendor`, sample({ vendor: { a: 1 } }), sample({})),
  one("extraFields", "Heartbeat.req", "__proto__", JSON.parse('{"__proto__":{"polluted":true}}'), {}),
  one("extraFields", "Heartbeat.req", "vendor", { vendor: null }, {}),
  one("extraFields", "Authorize.req", "data", { idTag: "A", data: {} }, { idTag: "A" }),
  one("extraFields", "Authorize.req", "meterStart", { idTag: "A", meterStart: 1.5 }, { idTag: "A" }),
  one("unquotedTexts", "MeterValues.req", `${sampled}.value`, sample({ value: 604.213 }), sample({ value: "604.213" })),
  one("unquotedTexts", "MeterValues.req", `${sampled}.value`, sample({ value: -0.5 }), sample({ value: "-0.5" })),
  one(
    "unquotedTexts",
    "GetConfiguration.conf",
    "configurationKey[0].value",
    key({ value: 300 }),
    key({ value: "300" }),
  ),
  one(
    "unquotedTexts",
    "GetConfiguration.conf",
    "configurationKey[0].value",
    key({ value: true }),
    key({ value: "true" }),
  ),
  one(
    "objectsInDataTransfer",
    "DataTransfer.req",
    "data",
    { vendorId: "V", data: { a: [1] } },
    { vendorId: "V", data: '{"a":[1]}' },
  ),
  one(
    "objectsInDataTransfer",
    "DataTransfer.conf",
    "data",
    { status: "Accepted", data: [] },
    { status: "Accepted", data: "[]" },
  ),
  ...(
    [
      [0, false],
      ["false", false],
      [1, true],
      ["true", true],
    ] as const
  ).map(([sent, got]) =>
    one(
      "readonlyNotBoolean",
      "GetConfiguration.conf",
      "configurationKey[0].readonly",
      key({ readonly: sent }),
      key({ readonly: got }),
    ),
  ),
  one(
    "singleMeterValue",
    "MeterValues.req",
    "meterValue",
    { ...sample({}), meterValue: sample({}).meterValue[0] },
    sample({}),
  ),
  one("emptyLists", "MeterValues.req", "meterValue[0].sampledValue", {
    connectorId: 1,
    meterValue: [{ timestamp: now, sampledValue: [] }],
  }),
  one(
    "emptyLists",
    "StopTransaction.req",
    "transactionData[0].sampledValue",
    stop({ transactionData: [{ timestamp: now, sampledValue: [] }] }),
  ),
  one("unknownValues", "MeterValues.req", `${sampled}.unit`, sample({ unit: "Hertz" })),
  one("unknownValues", "MeterValues.req", `${sampled}.measurand`, sample({ measurand: "Vendor.Humidity" })),
  one(
    "unknownErrorCodes",
    "StatusNotification.req",
    "errorCode",
    status({ errorCode: "Error" }),
    status({ errorCode: "OtherError", vendorErrorCode: "Error" }),
  ),
  one(
    "unknownErrorCodes",
    "StatusNotification.req",
    "errorCode",
    status({ errorCode: "Error", vendorErrorCode: "E7", info: "" }),
    status({ errorCode: "OtherError", vendorErrorCode: "E7", info: "Error" }),
  ),
  one(
    "unknownErrorCodes",
    "StatusNotification.req",
    "errorCode",
    status({ errorCode: "Error", vendorErrorCode: "E7", info: "hot" }),
    status({ errorCode: "OtherError", vendorErrorCode: "E7", info: "hot" }),
  ),
  ...(
    [
      ["lowerCaseTimes", "2026-11-22t10:00:00z", "2026-11-22T10:00:00Z"],
      ["lowerCaseTimes", "2026-11-22t10:00:00+02:00", "2026-11-22T10:00:00+02:00"],
      ["lowerCaseTimes", "2026-11-22T10:00:00.5z", "2026-11-22T10:00:00.5Z"],
      ["spacedTimes", "2026-11-22 10:00:00.123456+00:00", "2026-11-22T10:00:00.123456+00:00"],
      ["singleDigits", "2013-1-1T5:00:00Z", "2013-01-01T05:00:00Z"],
      ["singleDigits", "2013-01-01T5:3:7.5+2:00", "2013-01-01T05:03:07.5+02:00"],
      ["paddedTimes", " 2013-01-01T00:00:00Z ", "2013-01-01T00:00:00Z"],
      ["paddedTimes", "2013-01-01T00:00:00 +02:00", "2013-01-01T00:00:00+02:00"],
      ["commaFractions", "2013-01-01T00:00:00,5Z", "2013-01-01T00:00:00.5Z"],
      ["repeatedOffsets", "2013-01-01T00:00:00+00:00Z", "2013-01-01T00:00:00+00:00"],
      ["missingSeconds", "2013-01-01T00:00Z", "2013-01-01T00:00:00Z"],
      ["missingSeconds", "2013-01-01T00:00-05:00", "2013-01-01T00:00:00-05:00"],
      ["shortOffsets", "2024-04-26T14:35:02+02", "2024-04-26T14:35:02+02:00"],
      ["shortOffsets", "2024-04-26T14:35:02.123-11", "2024-04-26T14:35:02.123-11:00"],
      ["compactOffsets", "2026-11-22T10:00:00+0000", "2026-11-22T10:00:00+00:00"],
      ["compactOffsets", "2026-11-22T10:00:00.123-0930", "2026-11-22T10:00:00.123-09:30"],
      ["leapSeconds", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"],
      ["leapSeconds", "2016-12-31T15:59:60.25-08:00", "2016-12-31T15:59:59.25-08:00"],
      ["localTimes", "2023-10-19T15:28:07", "2023-10-19T15:28:07Z"],
      ["localTimes", "2023-10-19T15:28:07.5", "2023-10-19T15:28:07.5Z"],
      ["zoneNames", "2020-03-18T08:38:34.465Z[GMT]", "2020-03-18T08:38:34.465Z"],
      ["zoneNames", "2021-05-31T11:29:13.0098572+02:00[Europe/Belgrade]", "2021-05-31T11:29:13.0098572+02:00"],
    ] as const
  ).map(([name, sent, got]) =>
    one(name, "StartTransaction.req", "timestamp", start({ timestamp: sent }), start({ timestamp: got })),
  ),
  one("hugeTransactionIds", "MeterValues.req", "transactionId", { ...sample({}), transactionId: 2 ** 63 }, sample({})),
  one(
    "hugeTransactionIds",
    "StopTransaction.req",
    "transactionId",
    stop({ transactionId: 2 ** 63 }),
    stop({ transactionId: -1 }),
  ),
  one("fractionalMeterReadings", "StartTransaction.req", "meterStart", start({ meterStart: 6.5 }), start({})),
  one(
    "fractionalMeterReadings",
    "StopTransaction.req",
    "meterStop",
    stop({ meterStop: -0.75 }),
    stop({ meterStop: -1 }),
  ),
];

const messageOf = (message: Case["message"]): readonly [Action, "req" | "conf"] => {
  const [action = "", kind] = message.split(".");
  if (!isAction(action) || (kind !== "req" && kind !== "conf")) throw new Error(message);
  return [action, kind];
};

function strict(message: Case["message"], payload: unknown): unknown {
  const [action, kind] = messageOf(message);
  return (kind === "req" ? parseReq : parseConf)(action, payload, "remote");
}

const repaired = (tolerated: readonly Quirk[], message: Case["message"], payload: unknown) =>
  repairPayload(tolerated, ...messageOf(message), payload, receivedAt);

describe.each(cases.map((row) => ({ ...row, id: quirks[row.name].id })))("$name, for $message", (row) => {
  const { name, message, sent, got = sent, paths } = row;

  test(`forgives ${row.paths} [${row.id}]`, () => {
    const before = structuredClone(sent);
    expect(() => strict(message, sent)).toThrow(PayloadError);
    const result = repaired([quirks[name]], message, sent);
    expect(result?.payload).toStrictEqual(got);
    expect(result?.uses).toMatchObject(
      paths.map((path) => ({ quirk: name, id: row.id, action: messageOf(message)[0], path })),
    );
    expect(sent).toStrictEqual(before);
  });

  test(`is what forgives it, and no other quirk [${row.id}]`, () => {
    expect(repaired(allBut(name), message, sent)).toBeUndefined();
  });
});

describe("What a quirk tells", () => {
  test("is where, what was wrong, what was made of it, and what was received", () => {
    const longTag = x(21);
    expect(repaired([quirks.longTexts], "Authorize.req", { idTag: longTag })?.uses).toEqual([
      {
        quirk: "longTexts",
        id: "Q3",
        action: "Authorize",
        path: "idTag",
        message: "idTag is longer than 20 characters (it has 21): it is passed on as it is.",
        received: longTag,
      },
    ]);
    expect(repaired([quirks.nullFields], "BootNotification.req", { ...boot, imsi: null })?.uses[0]?.message).toBe(
      "imsi must be a string, not null: it is left out.",
    );
    expect(
      repaired([quirks.localTimes], "Heartbeat.conf", { currentTime: "2026-01-01T00:00:00" })?.uses[0],
    ).toMatchObject({
      message: "currentTime must be a date-time as in RFC 3339: it is repaired.",
      received: "2026-01-01T00:00:00",
    });
  });
});

describe("All quirks together", () => {
  test("leave fields out that the message does not have, even if other messages have them [Q5]", () => {
    const sent = {
      idTag: "A",
      data: {},
      meterStart: 1.5,
      readonly: 1,
      meterValue: {},
      unit: "Hz",
      transactionId: 2 ** 63,
    };
    expect(repaired(all, "Authorize.req", sent)?.payload).toStrictEqual({ idTag: "A" });
    expect(repaired([...all].reverse(), "Authorize.req", sent)?.payload).toStrictEqual({ idTag: "A" });
  });

  test("repair a message in which nearly everything is wrong [Q2] [Q3] [Q5] [Q6] [Q7] [Q8] [Q10] [Q11]", () => {
    const sent = {
      connectorId: 1,
      transactionId: 2 ** 63,
      meterValue: {
        timestamp: "2026-01-01T00:00+02[Europe/Belgrade]",
        vendor: true,
        sampledValue: [{ value: 50, unit: "Hz", phase: null }, { value: "1" }],
      },
    };
    const result = repaired(all, "MeterValues.req", sent);
    expect(result?.payload).toStrictEqual({
      connectorId: 1,
      meterValue: [
        { timestamp: "2026-01-01T00:00:00+02:00", sampledValue: [{ value: "50", unit: "Hz" }, { value: "1" }] },
      ],
    });
    expect(result?.uses.map(({ quirk, path }) => `${quirk} ${path}`).sort()).toEqual([
      "extraFields meterValue[0].vendor",
      "hugeTransactionIds transactionId",
      "missingSeconds meterValue[0].timestamp",
      "nullFields meterValue[0].sampledValue[0].phase",
      "shortOffsets meterValue[0].timestamp",
      "singleMeterValue meterValue",
      "unknownValues meterValue[0].sampledValue[0].unit",
      "unquotedTexts meterValue[0].sampledValue[0].value",
      "zoneNames meterValue[0].timestamp",
    ]);
  });

  test("take numbers for texts, each at its place [Q6]", () => {
    const result = repaired(all, "BootNotification.req", { ...boot, meterType: 1.123456789012345e-26, iccid: 5 });
    expect(result?.payload).toMatchObject({ meterType: "1.123456789012345e-26", iccid: "5" });
  });

  test.each<[Case["message"], unknown]>([
    ["BootNotification.req", null],
    ["BootNotification.req", []],
    ["BootNotification.req", "text"],
    ["BootNotification.req", { chargePointVendor: "V" }],
    ["BootNotification.req", { ...boot, chargePointModel: null }],
    ["BootNotification.req", { ...boot, iccid: {} }],
    ["Authorize.req", { idTag: x(256) }],
    ["Authorize.req", { idTag: "🔌".repeat(256) }],
    ["Authorize.req", { idTag: 2 ** 53 }],
    ["Authorize.req", { idTag: Number.POSITIVE_INFINITY }],
    ["DataTransfer.req", { vendorId: {} }],
    ["GetConfiguration.conf", key({ readonly: 2 })],
    ["GetConfiguration.conf", key({ readonly: "yes" })],
    ["GetConfiguration.conf", { unknownKey: [null] }],
    ["GetConfiguration.conf", { configurationKey: key({}).configurationKey[0] }],
    ["MeterValues.req", { connectorId: "one", meterValue: sample({}).meterValue }],
    ["MeterValues.req", { connectorId: "1,5", meterValue: sample({}).meterValue }],
    ["MeterValues.req", { connectorId: "1".repeat(26), meterValue: sample({}).meterValue }],
    ["MeterValues.req", { connectorId: 1, meterValue: [sample({}).meterValue] }],
    ["MeterValues.req", sample({ unit: x(51) })],
    ["MeterValues.req", sample({ unit: 5 })],
    ["MeterValues.req", { ...sample({}), transactionId: "one" }],
    ["Authorize.conf", { idTagInfo: { status: "Unlocked" } }],
    ["ClearChargingProfile.conf", { status: "Rejected" }],
    ["ClearCache.conf", { status: "" }],
    ["ClearCache.conf", { status: "Perhaps" }],
    ["Reset.req", { type: "Gentle" }],
    ["Authorize.req", {}],
    ["GetDiagnostics.conf", { fileName: {} }],
    ["SetChargingProfile.req", schedule("" as never)],
    ["ReserveNow.req", { connectorId: 1, idTag: "A", reservationId: 1, expiryDate: "" }],
    ["GetCompositeSchedule.conf", { status: "Accepted", chargingSchedule: { chargingRateUnit: "", duration: 60 } }],
    ["MeterValues.req", { ...sample({}), transactionId: Number.POSITIVE_INFINITY }],
    ["SetChargingProfile.req", schedule(Number.POSITIVE_INFINITY)],
    ["StatusNotification.req", status({ status: x(51) })],
    ["StatusNotification.req", status({ connectorId: 2 ** 63 })],
    ["StatusNotification.req", status({ errorCode: x(51) })],
    ["StatusNotification.req", status({ errorCode: "Error", info: {} })],
    ["RemoteStopTransaction.req", { transactionId: 2 ** 63 }],
    ["StopTransaction.req", stop({ meterStop: 2 ** 63 })],
    ["StartTransaction.conf", { transactionId: 2 ** 63, idTagInfo: { status: "Accepted" } }],
    ["StartTransaction.req", start({ meterStart: "" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01T00:00:00+02:00Z" })],
    ["StartTransaction.req", start({ meterStart: Number.POSITIVE_INFINITY })],
    ["StartTransaction.req", start({ connectorId: 1.5 })],
    ["StartTransaction.req", start({ timestamp: "yesterday" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01" })],
    ["StartTransaction.req", start({ timestamp: "2026-02-30T00:00:00" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01  00:00:00" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01T00:00:61Z" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01T00:00:00 0000" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01T00:00:00+2400" })],
    ["StartTransaction.req", start({ timestamp: 1_767_225_600 })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01T00:00:00Z[G M T]" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01T00:00.5Z" })],
    ["StartTransaction.req", start({ timestamp: "2026-01-01T00Z" })],
    ["GetDiagnostics.req", { location: "files.example.com" }],
  ])("still refuse %s %j", (message, payload) => {
    expect(() => strict(message, payload)).toThrow(PayloadError);
    expect(repaired(all, message, payload)).toBeUndefined();
  });

  test("refuse data of DataTransfer that is nested so deeply that it cannot be written [Q6]", () => {
    expect(repaired(all, "DataTransfer.req", { vendorId: "V", data: nested(100_000) })).toBeUndefined();
  });

  test("keep an unknown errorCode although the fields for it are null [Q2] [Q9]", () => {
    const sent = status({ errorCode: "Error", info: null, vendorErrorCode: null });
    expect(repaired(all, "StatusNotification.req", sent)?.payload).toStrictEqual(
      status({ errorCode: "OtherError", vendorErrorCode: "Error" }),
    );
    expect(repaired([quirks.unknownErrorCodes], "StatusNotification.req", sent)).toBeUndefined();
  });

  test("do not take the time of a named zone for UTC [Q10]", () => {
    const sent = start({ timestamp: "2026-01-01T12:00:00[Europe/Belgrade]" });
    expect(repaired(all, "StartTransaction.req", sent)).toBeUndefined();
  });

  test("put no number for one whose digits are lost [Q6] [Q11]", () => {
    const sent = { ...sample({}), transactionId: "9007199254740993" };
    expect(repaired([quirks.quotedNumbers], "MeterValues.req", sent)).toBeUndefined();
  });

  test("mark what nobody has sent as a guess [Q10]", () => {
    const guesses = Object.values(quirks).flatMap(({ name, guesses }) => (guesses ? [name] : []));
    expect(guesses.sort()).toEqual(["localTimes", "missingErrorCodes", "missingTimes", "missingTransactionIds"]);
    expect(repaired([quirks.missingTimes], "StartTransaction.req", start({ timestamp: null }))?.uses).toEqual([
      {
        quirk: "missingTimes",
        id: "Q10",
        action: "StartTransaction",
        path: "timestamp",
        message: "timestamp must be a string, not null: it is repaired.",
        received: null,
        guessed: true,
      },
    ]);
  });

  test("refuse what can be repaired only in part, and change nothing", () => {
    const sent = { ...boot, iccid: null, meterType: {} };
    expect(repaired(all, "BootNotification.req", sent)).toBeUndefined();
    expect(sent).toStrictEqual({ ...boot, iccid: null, meterType: {} });
  });

  test("look at each element of a long list a few times, and not at all of them for each that is wrong", () => {
    let looks = 0;
    const watched = (list: unknown[]) =>
      new Proxy(list, {
        get: (target, name, receiver) => {
          if (typeof name === "string" && /^\d+$/.test(name)) looks++;
          return Reflect.get(target, name, receiver);
        },
      });
    const values = Array.from({ length: 5000 }, (_, index) => ({ value: index < 4500 ? "1" : 1 }));
    const sent = { connectorId: 1, meterValue: [{ timestamp: now, sampledValue: watched(values) }] };
    expect(repaired(all, "MeterValues.req", sent)?.uses).toHaveLength(500);
    expect(looks).toBeLessThan(10 * values.length);
  });

  test("repair a thousand places of one payload, and no more", () => {
    const sent = (samples: number) => ({
      connectorId: 1,
      meterValue: [{ timestamp: now, sampledValue: Array.from({ length: samples }, () => ({ value: 1 })) }],
    });
    expect(repaired(all, "MeterValues.req", sent(1000))?.uses).toHaveLength(1000);
    expect(repaired(all, "MeterValues.req", sent(1001))).toBeUndefined();
  });
});

describe("Without a quirk", () => {
  test("empty required texts of BootNotification are accepted [Q4]", () => {
    const empty = { chargePointVendor: "", chargePointModel: "" };
    expect(strict("BootNotification.req", empty)).toBe(empty);
  });

  test("any transactionId that JavaScript can hold is accepted, as are years nobody lives in [Q10] [Q12]", () => {
    for (const transactionId of [-1, 0, 2 ** 31, 2 ** 53 - 1]) {
      const sent = stop({ transactionId, timestamp: "0001-01-01T00:00:00Z" });
      expect(strict("StopTransaction.req", sent)).toBe(sent);
    }
  });

  test("any meter reading in whole Wh is accepted, negative ones included [Q13]", () => {
    for (const meterStop of [-5, 0, 2 ** 53 - 1]) {
      const sent = stop({ meterStop });
      expect(strict("StopTransaction.req", sent)).toBe(sent);
    }
  });

  test("the golden examples stay untouched by all quirks", () => {
    for (const action of Object.keys(actions) as Action[]) {
      for (const kind of ["req", "conf"] as const) {
        const example = goldenExamples[action][kind];
        expect(repairPayload(all, action, kind, example, now)).toEqual({ payload: example, uses: [] });
      }
    }
  });
});

/** Nested objects, written without recursion. */
function nested(depth: number): unknown {
  let value: object = {};
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
}

const reader = { parse: frameReader.parse, read: frameReader.read };
const heartbeat = { type: "CALL", messageId: "17", action: "Heartbeat", payload: {} };

const meterValues = { ...heartbeat, action: "MeterValues", payload: { connectorId: 1, meterValue: [] } };

const frames: readonly [name: Name, text: string, frame: unknown][] = [
  ["strayCharacters", '\0[2,"17","Heartbeat",{}]', heartbeat],
  ["strayCharacters", '\uFEFF\uFEFF[2,"17","Heartbeat",{}]\uFEFF\u00A0', heartbeat],
  ["strayCharacters", '[2,"17","Heart\0beat",{}]\0\0', heartbeat],
  ["leftOutValues", '[2,"17","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[]}]', meterValues],
  ["leftOutValues", '[2, "17", "MeterValues", {"transactionId" : , "connectorId":1, "meterValue":[]}]', meterValues],
  ["leftOutValues", '[2,"17","MeterValues",{"connectorId":1,"meterValue":[],"transactionId":}]', meterValues],
  ["leftOutValues", '[2,"17","Heartbeat",{"a":,"b":}]', heartbeat],
  ["extraCommas", '[2,"17","MeterValues",{,"connectorId":1,,"meterValue":[],}]', meterValues],
  ["extraCommas", '[2,"17","Heartbeat",{},]', heartbeat],
  ["extraCommas", '[2,"17","Heartbeat",{}],', heartbeat],
  ["missingBrackets", '[2,"17","Heartbeat",{}', heartbeat],
  ["missingBrackets", '[2,"17","MeterValues",{"connectorId":1,"meterValue":[] ', meterValues],
  ["missingBrackets", '[2,"17","MeterValues",{"meterValue":[],"connectorId":1}', meterValues],
  [
    "missingBrackets",
    '[2,"17","Authorize",{"idTag":"[\\"{,"',
    { type: "CALL", messageId: "17", action: "Authorize", payload: { idTag: '["{,' } },
  ],
  ["quotedMessageTypes", '["2","17","Heartbeat",{}]', heartbeat],
  ["quotedMessageTypes", '["3","17",{}]', { type: "CALLRESULT", messageId: "17", payload: {} }],
  [
    "quotedMessageTypes",
    '["4","17","GenericError","",{}]',
    { type: "CALLERROR", messageId: "17", errorCode: "GenericError", errorDescription: "", errorDetails: {} },
  ],
  ["numericMessageIds", '[2,17,"Heartbeat",{}]', heartbeat],
  ["numericMessageIds", "[3,17,{}]", { type: "CALLRESULT", messageId: "17", payload: {} }],
  ["emptyMessageIds", '[2,"","Heartbeat",{}]', { ...heartbeat, messageId: "" }],
  ["extraElements", '[2,"17","Heartbeat",{},null,"more"]', heartbeat],
  ["extraElements", '[3,"17",{},{}]', { type: "CALLRESULT", messageId: "17", payload: {} }],
];

describe.each(frames.map(([name, text, frame]) => ({ name, text, frame, id: quirks[name].id })))(
  "$name, for the frame $text",
  ({ name, text, frame, id }) => {
    test(`reads it [${id}]`, () => {
      expect(decode(text).type).toBe("MALFORMED");
      expect(repairFrame([quirks[name]], text, reader)).toEqual({
        frame,
        uses: [{ quirk: name, id, path: "", message: `The message has ${quirks[name].forgives}.`, received: text }],
      });
    });

    test(`is what reads it, and no other quirk [${id}]`, () => {
      expect(repairFrame(allBut(name), text, reader)).toBeUndefined();
    });
  },
);

describe("Quirks of frames", () => {
  test("work together [Q24] [J-D05] [J-D06] [J-D10]", () => {
    const result = repairFrame([...all].reverse(), '\0["2",17,"Heartbeat",{},1]', reader);
    expect(result?.frame).toEqual(heartbeat);
    expect(result?.uses.map(({ quirk }) => quirk).sort()).toEqual([
      "extraElements",
      "numericMessageIds",
      "quotedMessageTypes",
      "strayCharacters",
    ]);
  });

  test("of texts that are nearly JSON are told only where they were needed [Q24]", () => {
    const text = '\0[2,"17","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[],}\0\n';
    for (const rows of [all, [...all].reverse()]) {
      const result = repairFrame(rows, text, reader);
      expect(result?.frame).toEqual(meterValues);
      expect(result?.uses.map(({ quirk }) => quirk).sort()).toEqual([
        "extraCommas",
        "leftOutValues",
        "missingBrackets",
        "strayCharacters",
      ]);
    }
    const lineFeed = '[2,"17","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[]}]\n';
    expect(repairFrame(all, lineFeed, reader)?.uses.map(({ quirk }) => quirk)).toEqual(["leftOutValues"]);
  });

  test("do not mind what is ignored anyway around the JSON [J-124]", () => {
    expect(repairFrame(all, '\uFEFF["2","17","Heartbeat",{}]\0', reader)?.frame).toEqual(heartbeat);
  });

  test.each([
    [""],
    ["[2,"],
    ["{}"],
    ["[]"],
    ['["5","17","Heartbeat",{}]'],
    ['["two","17","Heartbeat",{}]'],
    ['[[2],"17","Heartbeat",{}]'],
    ['[2,"","Heartbeat"]'],
    ['[2,"",5,{}]'],
    ['[2,9007199254740993,"Heartbeat",{}]'],
    ['[2,1.5,"Heartbeat",{}]'],
    ['[2,1e400,"Heartbeat",{}]'],
    ['[2,null,"Heartbeat",{}]'],
    ['[2,"17","Heartbeat"]'],
    ["[2,17,5,{}]"],
    ['["4","17","GenericError"]'],
    [`[2,"${x(37)}","Heartbeat",{}]`],
    ['[2,"17","Heartbeat",{}][2,"18","Heartbeat",{}]'],
    ['[2,"17","StopTransaction",{"transactionId":1,"meterStop":12'],
    ['[2,"17","StopTransaction",{"transactionId":1,"meterStop":tru'],
    ['[2,"17","Authorize",{"idTag":"AB'],
    ['[2,"17","Authorize",{"idTag":'],
    ['[2,"17","Authorize",{"idTag"'],
    ['[2,"17","Authorize",{"idTag":"A"]}'],
    ['[2,"17","SendLocalList",{"list":[1,,2]}]'],
    ['[2,"17","SendLocalList",{"list":[,1]}]'],
    ['[2,"17","SendLocalList",{"list":[1,,]}]'],
    ['[2,"17",,"Heartbeat",{}]'],
    ['[2,"17","Heartbeat",]'],
    ['[2,"17","Heartbeat",{"a"}]'],
    ['[2,"17","Heartbeat",{:,}]'],
    ['[2,"17","Heartbeat",{"a":"b":,}]'],
    ['[2,"17","Heartbeat",{"a":1 "b":2}]'],
  ])("all together still refuse %s [J-D02] [J-D03] [J-D04] [J-D06] [J-D07] [J-D09]", (text) => {
    expect(decode(text).type).toBe("MALFORMED");
    expect(repairFrame(all, text, reader)).toBeUndefined();
  });

  test("that forgive an empty message id do so beside others [Q15] [J-059]", () => {
    const result = repairFrame(all, '["2","","Heartbeat",{},1]', reader);
    expect(result?.frame).toEqual({ ...heartbeat, messageId: "" });
    expect(result?.uses.map(({ quirk }) => quirk).sort()).toEqual([
      "emptyMessageIds",
      "extraElements",
      "quotedMessageTypes",
    ]);
  });

  test("have nothing to do with a frame that is right", () => {
    expect(repairFrame(all, '[2,"17","Heartbeat",{}]', reader)).toBeUndefined();
  });
});

describe("Quirks of the handshake", () => {
  test.each([
    ["//CP001", "/CP001"],
    ["/ocpp//CP001", "/ocpp/CP001"],
    ["/ocpp/CP001/", "/ocpp/CP001"],
    ["//ocpp///CP001//", "/ocpp/CP001"],
    ["/ocpp/CP001", "/ocpp/CP001"],
    ["/ocpp/CP%2F001", "/ocpp/CP%2F001"],
  ])("slashesInPath reads %s as %s [Q19]", (path, read) => {
    expect(quirks.slashesInPath).toHaveProperty("path");
    if ("path" in quirks.slashesInPath) expect(quirks.slashesInPath.path?.(path)).toBe(read);
  });

  const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const decoded = (text: string): Uint8Array | undefined =>
    "password" in quirks.hexadecimalKeys ? quirks.hexadecimalKeys.password?.(ascii(text)) : undefined;

  test("hexadecimalKeys reads 16 to 20 bytes in hexadecimal digits [Q23] [J-176] [QD-26]", () => {
    expect(decoded("0001020304050607FFFFFFFFFFFFffffffffffff")).toEqual(
      Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, ...Array<number>(12).fill(255)),
    );
    expect(decoded("a0".repeat(16))).toEqual(new Uint8Array(16).fill(0xa0));
  });

  test.each([
    ["a0".repeat(15)],
    ["a0".repeat(21)],
    [`${"a0".repeat(16)}a`],
    ["g0".repeat(16)],
    [""],
    ["\xff".repeat(40)],
  ])("hexadecimalKeys does not read %j [Q23]", (text) => {
    expect(decoded(text)).toBeUndefined();
  });
});

describe("The table", () => {
  const proven = new Set<string>([...cases.map(({ name }) => name), ...frames.map(([name]) => name)]);

  test.each(Object.entries(quirks))(
    "%s has a name, an id, sentences, evidence that can be found, and a test",
    (name, quirk) => {
      expect(quirk.name).toBe(name);
      expect(quirk.id).toMatch(/^(Q\d+|J-D\d\d)$/);
      expect(quirk.forgives).toMatch(/^\S.*[^.]$/);
      expect(quirk.repairs).toMatch(/^\S.*[^.]$/);
      for (const reference of quirk.evidence) expect(reference).toMatch(/^[\w.-]+\/[\w.-]+( PR)?#\d+$/);
      expect(new Set(quirk.evidence).size).toBe(quirk.evidence.length);
      expect(quirk.scope === "handshake" || proven.has(name), "is among the cases above").toBe(true);
      expect(Object.isFrozen(quirk)).toBe(true);
    },
  );

  test("is the only place that groups by vendor take their rows from", () => {
    for (const group of Object.values(vendorQuirks)) {
      expect(group.length).toBeGreaterThan(0);
      for (const quirk of group) expect(all).toContain(quirk);
    }
    expect([...vendorQuirks.growatt, quirks.nullFields]).toEqual([quirks.localTimes, quirks.nullFields]);
  });
});
