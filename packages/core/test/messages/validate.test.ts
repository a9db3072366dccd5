import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { PayloadError, type PayloadIssue } from "../../src/errors.ts";
import type { Action } from "../../src/messages/actions.ts";
import { actions } from "../../src/messages/actions.ts";
import { check, parseConf, parseReq, refusedPayload } from "../../src/messages/validate.ts";
import { goldenExamples } from "./golden-examples.ts";

function errorOf(parse: () => unknown): PayloadError {
  try {
    parse();
  } catch (error) {
    if (error instanceof PayloadError) return error;
    throw error;
  }
  throw new Error("The payload was not refused");
}

const issuesOf = (action: Action, payload: unknown) => errorOf(() => parseReq(action, payload, "remote")).issues;

/** A valid payload with one part exchanged; `undefined` takes the part out. */
function spoilt(action: Action, path: readonly (string | number)[], value: unknown): unknown {
  const payload = structuredClone(goldenExamples[action].req);
  const last = path.at(-1) as string | number;
  const parent = path.slice(0, -1).reduce<unknown>((part, name) => (part as never)[name], payload) as never;
  if (value === undefined) delete parent[last];
  else Object.assign(parent, { [last]: value });
  return payload;
}

const tooLong = (maxLength: number, length: number) => `is longer than ${maxLength} characters (it has ${length})`;
const dateTime = "must be a date-time as in RFC 3339";
const unit =
  "must be one of Wh, kWh, varh, kvarh, W, kW, VA, kVA, var, kvar, A, V, Celsius, Celcius, Fahrenheit, K, Percent";

/** One row per case: rule, action, where, what is put there, code, and the words that follow the path. */
const rules = [
  ["[J-090]", "Authorize", ["idTag"], undefined, "ProtocolError", "is missing"],
  ["[J-090]", "StatusNotification", ["errorCode"], undefined, "ProtocolError", "is missing"],
  [
    "[J-090]",
    "SetChargingProfile",
    ["csChargingProfiles", "chargingSchedule"],
    undefined,
    "ProtocolError",
    "is missing",
  ],
  ["[J-090]", "MeterValues", ["meterValue", 0, "sampledValue", 1, "value"], undefined, "ProtocolError", "is missing"],

  ["[J-091]", "Authorize", ["connectorId"], 1, "FormationViolation", "is not a field of this message"],
  ["[J-091]", "Heartbeat", ["foo"], 1, "FormationViolation", "is not a field of this message"],
  ["[J-091]", "MeterValues", ["meterValue", 0, "foo"], null, "FormationViolation", "is not a field of this message"],

  ["[J-092]", "Authorize", ["idTag"], 5, "TypeConstraintViolation", "must be a string, not a number"],
  ["[J-092]", "Authorize", ["idTag"], {}, "TypeConstraintViolation", "must be a string, not an object"],
  ["[J-092]", "MeterValues", ["connectorId"], "1", "TypeConstraintViolation", "must be an integer, not a string"],
  ["[J-092]", "MeterValues", ["connectorId"], true, "TypeConstraintViolation", "must be an integer, not a boolean"],
  ["[J-092]", "MeterValues", ["meterValue"], {}, "TypeConstraintViolation", "must be a list, not an object"],
  ["[J-092]", "MeterValues", ["meterValue", 0], [], "TypeConstraintViolation", "must be an object, not a list"],
  ["[J-092]", "Reset", ["type"], 1, "TypeConstraintViolation", "must be a string, not a number"],
  ["[J-092]", "Reset", ["type"], ["Hard"], "TypeConstraintViolation", "must be a string, not a list"],
  ["[J-092]", "GetDiagnostics", ["startTime"], 0, "TypeConstraintViolation", "must be a string, not a number"],
  [
    "[J-092]",
    "SetChargingProfile",
    ["csChargingProfiles", "chargingSchedule", "chargingSchedulePeriod", 0, "limit"],
    "8",
    "TypeConstraintViolation",
    "must be a number, not a string",
  ],
  ["[J-123]", "StatusNotification", ["info"], null, "TypeConstraintViolation", "must be a string, not null"],
  ["[J-123]", "Reset", ["type"], null, "TypeConstraintViolation", "must be a string, not null"],
  [
    "[J-125]",
    "StartTransaction",
    ["meterStart"],
    10.5,
    "TypeConstraintViolation",
    "must be an integer, not a fraction",
  ],

  ["[J-093]", "Reset", ["type"], "Harder", "PropertyConstraintViolation", "must be one of Hard, Soft"],
  ["[J-093]", "Reset", ["type"], "hard", "PropertyConstraintViolation", "must be one of Hard, Soft"],
  ["[J-093]", "Reset", ["type"], "__proto__", "PropertyConstraintViolation", "must be one of Hard, Soft"],
  ["[J-093]", "MeterValues", ["meterValue", 0, "sampledValue", 1, "unit"], "Hz", "PropertyConstraintViolation", unit],
  [
    "[J-093] [SC-59]",
    "SetChargingProfile",
    ["csChargingProfiles", "chargingSchedule", "chargingRateUnit"],
    "kW",
    "PropertyConstraintViolation",
    "must be one of W, A",
  ],
  [
    "[J-093] [SC-85]",
    "GetCompositeSchedule",
    ["chargingRateUnit"],
    "Power",
    "PropertyConstraintViolation",
    "must be one of W, A",
  ],

  ["[J-094]", "Authorize", ["idTag"], "x".repeat(21), "PropertyConstraintViolation", tooLong(20, 21)],
  ["[J-094]", "Authorize", ["idTag"], "🔌".repeat(23), "PropertyConstraintViolation", tooLong(20, 23)],
  ["[J-094]", "ChangeConfiguration", ["value"], "x".repeat(501), "PropertyConstraintViolation", tooLong(500, 501)],

  ["[J-095]", "StartTransaction", ["connectorId"], 0, "PropertyConstraintViolation", "must be at least 1"],
  ["[J-095]", "StatusNotification", ["connectorId"], -1, "PropertyConstraintViolation", "must be at least 0"],
  [
    "[J-095]",
    "StopTransaction",
    ["transactionId"],
    2 ** 53,
    "PropertyConstraintViolation",
    "must be at most 9007199254740991",
  ],
  [
    "[J-095]",
    "StopTransaction",
    ["transactionId"],
    -(2 ** 53),
    "PropertyConstraintViolation",
    "must be at least -9007199254740991",
  ],
  [
    "[J-095]",
    "StopTransaction",
    ["meterStop"],
    Number.POSITIVE_INFINITY,
    "PropertyConstraintViolation",
    "must be a finite number",
  ],
  [
    "[J-095]",
    "SetChargingProfile",
    ["csChargingProfiles", "chargingSchedule", "minChargingRate"],
    8.15,
    "PropertyConstraintViolation",
    "must have at most one decimal",
  ],

  ["[J-096]", "GetDiagnostics", ["startTime"], "yesterday", "PropertyConstraintViolation", dateTime],
  ["[J-096]", "StartTransaction", ["timestamp"], "2025-02-29T00:00:00Z", "PropertyConstraintViolation", dateTime],
  ["[J-096]", "GetDiagnostics", ["location"], "/tmp", "PropertyConstraintViolation", "must be an absolute URI"],

  ["[J-097]", "MeterValues", ["meterValue"], [], "OccurenceConstraintViolation", "must have at least 1 element"],
  [
    "[J-097]",
    "MeterValues",
    ["meterValue", 0, "sampledValue"],
    [],
    "OccurenceConstraintViolation",
    "must have at least 1 element",
  ],
  [
    "[J-097]",
    "SetChargingProfile",
    ["csChargingProfiles", "chargingSchedule", "chargingSchedulePeriod"],
    [],
    "OccurenceConstraintViolation",
    "must have at least 1 element",
  ],
] as const;

const written = (path: readonly (string | number)[]) =>
  path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");

/** An Authorize.req whose idTag is another one from the second reading on. */
function unsteady(first: unknown, then: unknown): object {
  let reads = 0;
  return {
    get idTag() {
      return reads++ === 0 ? first : then;
    },
  };
}

describe("parseReq", () => {
  it.each(
    rules.map(([id, action, path, value, code, message]) => ({
      id,
      action,
      path,
      value,
      code,
      message,
      at: written(path),
    })),
  )("answers $code to a $action whose $at $message $id", ({ action, path, value, code, message, at }) => {
    const payload = spoilt(action, path, value);
    expect(issuesOf(action, payload)).toEqual<PayloadIssue[]>([{ path: at, message, code }]);
    expect(errorOf(() => parseReq(action, payload, "remote")).code).toBe(code);
  });

  it.each([[[]], ["idTag"], [5], [true], [null], [undefined]])(
    "answers FormationViolation to %j in the place of a payload [J-098]",
    (payload) => {
      expect(issuesOf("Authorize", payload)).toMatchObject([{ path: "", code: "FormationViolation" }]);
    },
  );

  it.each(Object.keys(actions) as Action[])(
    "refuses a further field at any depth of %s [J-066] [J-197] [QD-06]",
    (action) => {
      for (const [parse, payload] of [
        [parseReq, structuredClone(goldenExamples[action].req)],
        [parseConf, structuredClone(goldenExamples[action].conf)],
      ] as const) {
        const visit = (part: unknown, path: string) => {
          if (typeof part !== "object" || part === null) return;
          for (const [name, value] of Object.entries(part))
            visit(value, Array.isArray(part) ? `${path}[${name}]` : `${path}${path && "."}${name}`);
          if (Array.isArray(part)) return;
          Object.assign(part, { foo: 1 });
          const at = `${path}${path && "."}foo`;
          expect(errorOf(() => parse(action, payload, "remote")).issues).toEqual([
            { path: at, message: "is not a field of this message", code: "FormationViolation" },
          ]);
          delete (part as { foo?: number }).foo;
        };
        visit(payload, "");
        expect(parse(action, payload, "remote")).toBe(payload);
      }
    },
  );

  it("returns the very object that was received, and a copy of one that is ours", () => {
    const payload = { idTag: "TAG" };
    expect(parseReq("Authorize", payload, "remote")).toBe(payload);
    expect(parseReq("Authorize", payload, "local")).not.toBe(payload);
    expect(parseReq("Authorize", payload, "local")).toStrictEqual(payload);
  });

  it("refuses nothing that was received and that no issue can be found with", () => {
    const payload = unsteady(5, "TAG");
    expect(parseReq("Authorize", payload, "remote")).toBe(payload);
  });

  it("refuses what is ours and another one each time it is read", () => {
    expect(errorOf(() => parseReq("Authorize", unsteady(5, "TAG"), "local")).issues).toEqual([
      { path: "", message: "is another one each time it is read", code: "FormationViolation" },
    ]);
    expect(parseReq("Authorize", unsteady("TAG", 5), "local")).toStrictEqual({ idTag: "TAG" });
  });

  it("takes null for {} where no field is required [J-063] [J-D15]", () => {
    expect(parseReq("Heartbeat", null, "remote")).toEqual({});
    expect(parseReq("Heartbeat", null, "local")).toEqual({});
    expect(parseReq("GetConfiguration", null, "remote")).toEqual({});
    expect(parseReq("ClearChargingProfile", null, "remote")).toEqual({});
  });

  it("takes undefined for {} only if the payload is ours, for a received one is missing then", () => {
    expect(parseReq("Heartbeat", undefined, "local")).toEqual({});
    expect(issuesOf("Heartbeat", undefined)).toEqual([{ path: "", message: "is missing", code: "FormationViolation" }]);
    expect(() => parseReq("Authorize", undefined, "local")).toThrow(PayloadError);
  });

  it("accepts an explicit undefined in an optional field and refuses it in a required one", () => {
    expect(parseReq("DataTransfer", { vendorId: "v", data: undefined }, "local")).toEqual({ vendorId: "v" });
    expect(errorOf(() => parseReq("Authorize", { idTag: undefined }, "local")).issues).toMatchObject([
      { path: "idTag", message: "is missing" },
    ]);
  });

  it("accepts a whole number written with a decimal point [J-125]", () => {
    expect(parseReq("UnlockConnector", JSON.parse('{ "connectorId": 1.0 }'), "remote")).toEqual({ connectorId: 1 });
  });

  it("accepts both spellings of the unit Celsius [J-195] [J-196] [QD-03]", () => {
    for (const unit of ["Celsius", "Celcius"]) {
      const at = ["meterValue", 0, "sampledValue", 1, "unit"];
      expect(() => parseReq("MeterValues", spoilt("MeterValues", at, unit), "remote")).not.toThrow();
    }
  });

  it("accepts a limit of 8.1 [J-126] [trap 17]", () => {
    const at = ["csChargingProfiles", "chargingSchedule", "chargingSchedulePeriod", 0, "limit"];
    expect(() => parseReq("SetChargingProfile", spoilt("SetChargingProfile", at, 8.1), "remote")).not.toThrow();
  });

  it("accepts a connectorId of 0 in TriggerMessage, and none in ExtendedTriggerMessage [RT-04] [SEC-MSG-03] [QD-15]", () => {
    const payload = { requestedMessage: "StatusNotification", connectorId: 0 };
    expect(parseReq("TriggerMessage", payload, "remote")).toBe(payload);
    expect(issuesOf("ExtendedTriggerMessage", payload)).toMatchObject([{ path: "connectorId" }]);
  });

  it("leaves the lists out that may be empty: only 1..* demands an element [J-097]", () => {
    expect(() => parseReq("GetConfiguration", { key: [] }, "remote")).not.toThrow();
    expect(() =>
      parseReq("SendLocalList", spoilt("SendLocalList", ["localAuthorizationList"], []), "remote"),
    ).not.toThrow();
    expect(() =>
      parseReq("StopTransaction", spoilt("StopTransaction", ["transactionData"], []), "remote"),
    ).not.toThrow();
  });
});

describe("parseConf", () => {
  it("checks the payload of the CALLRESULT, not that of the CALL [J-088]", () => {
    const error = errorOf(() => parseConf("Authorize", { idTag: "TAG" }, "remote"));
    expect(error).toMatchObject({ action: "Authorize", kind: "conf", origin: "remote", code: "ProtocolError" });
    expect(error.message).toBe(
      "[ProtocolError] Authorize.conf: idTagInfo is missing; idTag is not a field of this message.",
    );
  });

  it("takes null for {} where no field is required [J-063]", () => {
    expect(parseConf("StatusNotification", null, "remote")).toEqual({});
    expect(parseConf("StopTransaction", null, "remote")).toEqual({});
    expect(parseConf("MeterValues", undefined, "local")).toEqual({});
    expect(errorOf(() => parseConf("Heartbeat", null, "remote")).code).toBe("FormationViolation");
  });

  it("refuses an empty certificateHashData, which is to be left out instead [SEC-MSG-04] [QD-46]", () => {
    const error = errorOf(() =>
      parseConf("GetInstalledCertificateIds", { status: "NotFound", certificateHashData: [] }, "remote"),
    );
    expect(error.code).toBe("OccurenceConstraintViolation");
  });

  it("refuses a fraction as the interval of BootNotification [J-192]", () => {
    const conf = { ...goldenExamples.BootNotification.conf, interval: 0.5 };
    expect(errorOf(() => parseConf("BootNotification", conf, "remote")).code).toBe("TypeConstraintViolation");
  });
});

describe("issues", () => {
  it("come in the order of the fields, unknown fields last", () => {
    const payload = { foo: 1, chargePointModel: 5, chargePointVendor: "x".repeat(23) };
    const error = errorOf(() => parseReq("BootNotification", payload, "local"));
    expect(error).toMatchObject({ origin: "local", kind: "req", code: "PropertyConstraintViolation" });
    expect(error.message).toBe(
      "[PropertyConstraintViolation] BootNotification.req: " +
        "chargePointVendor is longer than 20 characters (it has 23); " +
        "chargePointModel must be a string, not a number; " +
        "foo is not a field of this message.",
    );
  });

  it("are five at most, even if a hundred thousand fields or elements are wrong", () => {
    const fields = Object.fromEntries(Array.from({ length: 1e5 }, (_, index) => [`field${index}`, index]));
    expect(issuesOf("Heartbeat", fields)).toHaveLength(5);
    const meterValue = new Array(3e5).fill(0);
    expect(issuesOf("MeterValues", { connectorId: 1, meterValue }).map(({ path }) => path)).toEqual([
      "meterValue[0]",
      "meterValue[1]",
      "meterValue[2]",
      "meterValue[3]",
      "meterValue[4]",
    ]);
  });

  it("are five at most, even if the last place is wrong in two ways", () => {
    const chargingProfile = { ...goldenExamples.SetChargingProfile.req.csChargingProfiles, stackLevel: -(2 ** 53) };
    expect(issuesOf("RemoteStartTransaction", { idTag: "TAG", chargingProfile })).toHaveLength(2);
    Object.assign(chargingProfile, { chargingProfileId: "", transactionId: "" });
    expect(issuesOf("RemoteStartTransaction", { connectorId: 0, idTag: 0, chargingProfile })).toHaveLength(5);
  });

  it("are looked for no further than the fifth", () => {
    const meterValue = new Array(9).fill(0);
    Object.defineProperty(meterValue, 6, {
      get: () => {
        throw new Error("looked at");
      },
    });
    expect(issuesOf("MeterValues", { connectorId: 1, meterValue })).toHaveLength(5);
  });

  it("never contain a value that was received [trap 15]", () => {
    const secret = "TOP-SECRET-VALUE-THAT-IS-LONG";
    const payload = {
      connectorId: secret,
      errorCode: secret,
      info: secret.repeat(2),
      status: { [secret]: secret },
      timestamp: secret,
    };
    const error = errorOf(() => parseReq("StatusNotification", payload, "remote"));
    expect(error.issues).toHaveLength(5);
    expect(JSON.stringify([error.message, error.issues, error.cause])).not.toContain("SECRET");
  });

  it.each([
    ["foo_1", "foo_1"],
    ["__proto__", "__proto__"],
    ["", '""'],
    ["two words", '"two words"'],
    ['a"b', '"a?b"'],
    ["line\nfeed\u0000\u001b[31m", '"line?feed??[31m"'],
    ["größe", '"gr??e"'],
    ["\u202e", '"?"'],
    ["x".repeat(40), "x".repeat(40)],
    ["x".repeat(41), `"${"x".repeat(40)}..."`],
    ["x".repeat(1e6), `"${"x".repeat(40)}..."`],
  ])("show the name of an unknown field short and printable: %#. [trap 15]", (name, shown) => {
    const payload = JSON.parse(`{ ${JSON.stringify(name)}: 1 }`);
    expect(issuesOf("Heartbeat", payload).map(({ path }) => path)).toEqual([shown]);
  });

  it("tell neither the words of zod nor its objects", () => {
    const error = errorOf(() => parseReq("Reset", { type: 5, foo: 1 }, "remote"));
    expect(error.cause).toBeUndefined();
    for (const issue of error.issues) expect(Object.keys(issue)).toEqual(["path", "message", "code"]);
    expect(error.message).not.toMatch(/invalid|zod|unrecognized/i);
  });
});

describe("refusedPayload", () => {
  it("is the answer of the peer that was refused, which is not in the error itself", () => {
    const answer = { status: "Accepted", currentTime: "TOP-SECRET", interval: 300 };
    const error = errorOf(() => parseConf("BootNotification", answer, "remote"));
    expect(refusedPayload(error)).toBe(answer);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("SECRET");
  });

  it("is not there for what was not an answer of the peer", () => {
    expect(refusedPayload(errorOf(() => parseConf("Heartbeat", {}, "local")))).toBeUndefined();
    expect(refusedPayload(errorOf(() => parseReq("Reset", {}, "remote")))).toBeUndefined();
  });
});

describe("check", () => {
  it("returns what would be sent", () => {
    const payload = { chargingRateUnit: undefined, connectorId: 0, duration: 3600 };
    expect(check("GetCompositeSchedule", "req", payload)).toStrictEqual({ connectorId: 0, duration: 3600 });
    expect(check("Reset", "conf", { status: "Accepted" })).toStrictEqual({ status: "Accepted" });
    expect(check("Heartbeat", "req", undefined)).toStrictEqual({});
  });

  it("refuses what would be refused before it is sent", () => {
    const error = errorOf(() => check("Authorize", "conf", { idTag: "TAG" }));
    expect(error).toMatchObject({ origin: "local", action: "Authorize", kind: "conf", code: "ProtocolError" });
  });

  it("refuses an action and a kind that do not exist", () => {
    expect(() => check("toString" as never, "req", {})).toThrow(new TypeError('OCPP 1.6 has no action "toString".'));
    expect(() => check("Reset", "from" as never, {})).toThrow(new TypeError('kind is "from". Give "req" or "conf".'));
  });
});
