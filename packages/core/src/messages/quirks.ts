/**
 * What real chargers and central systems get wrong, one row each. A row says exactly what it forgives; everything else
 * stays as strict as without it. The names of the rows are the names of `quirks`; docs/quirks.md is made from them.
 *
 * What was seen but needs no row, because it is never refused: see the end of docs/quirks.md.
 */
import { dateTimeQuirks } from "./date-time-quirks.ts";
import { isObject } from "./guard.ts";
import { withClosingBrackets, withoutExtraCommas, withoutLeftOutFields } from "./json-quirks.ts";
import { defineQuirks, type Flaw, isPlaceholder, type Quirk } from "./tolerance.ts";
import { codePoints } from "./validate.ts";

/** How long an identifier, a serial number or another text may be when its length is forgiven; or twice as long as it may. */
const longestText = 255;

/** How long a value may be that OCPP does not know. */
const longestName = 50;

/** What is compared of the spelling of a value: prose and other software write `NOT_SUPPORTED` and ` notSupported`. [QD-13] */
const spelling = (value: string): string => value.replace(/[\s_]/g, "").toLowerCase();

/** The only value of an enumeration that is meant by one that is spelt in another way. */
function meantBy({ expected, values, value }: Flaw): string | undefined {
  if (expected !== "enum" || typeof value !== "string" || value.length > longestName) return undefined;
  const [meant, ...others] = values.filter((other) => spelling(other) === spelling(value));
  return others.length === 0 ? meant : undefined;
}

/** Whether a name stands there, though not one that OCPP knows, however it is spelt. */
const isUnknownName = (flaw: Flaw): boolean =>
  flaw.fault === "unknownValue" &&
  !isPlaceholder(flaw.value) &&
  (flaw.value as string).length <= longestName &&
  meantBy(flaw) === undefined;

/** Whether nothing stands there, though something must. */
const isMissing = ({ optional, value }: Flaw): boolean => !optional && (value === undefined || isPlaceholder(value));

/** Numbers as JSON, C and people write them; never so many digits that reading them takes long. */
const number = /^\s{0,9}[+-]?\d{1,25}(?:\.\d{0,25})?\s{0,9}$/;

/** The statuses of answers that mean the same: it is done, it is not, it cannot be. */
const sameStatuses: readonly (readonly string[])[] = [
  ["Accepted", "Unlocked"],
  ["Rejected", "Failed", "UnlockFailed"],
  ["NotSupported", "NotImplemented"],
];

/** The status of an answer that means what that of another answer says. */
function ownStatus({ kind, path, values, value }: Flaw): string | undefined {
  if (kind !== "conf" || path !== "status" || typeof value !== "string" || value.length > longestName) return undefined;
  const said = sameStatuses.find((statuses) => statuses.some((status) => spelling(status) === spelling(value)));
  return said?.find((status) => values.includes(status));
}

/** How many elements a CALL and a CALLRESULT have, by their message types, in quotes or not. */
const lengths: ReadonlyMap<unknown, number> = /* @__PURE__ */ new Map<unknown, number>([
  [2, 4],
  ["2", 4],
  [3, 3],
  ["3", 3],
]);

const payloadQuirks = /* @__PURE__ */ defineQuirks({
  moreDecimals: {
    id: "Q1",
    evidence: [
      "elifTech/cpd-ocpp#12",
      "mikuso/ocpp-rpc#50",
      "mobilityhouse/ocpp#217",
      "citrineos/citrineos-core PR#959",
      "citrineos/citrineos-core PR#960",
    ],
    forgives: "more than one decimal in `limit` or `minChargingRate`",
    repairs: "passed on with all its decimals",
    scope: "payload",
    mend: ({ expected, fault, value }) =>
      expected === "number" && fault === "outOfRange" && Number.isFinite(value) ? "keep" : undefined,
  },
  nullFields: {
    id: "Q2",
    evidence: ["mobilityhouse/ocpp#296"],
    forgives: "`null` in a field that may be absent",
    repairs: "the field is left out",
    scope: "payload",
    mend: ({ fault, optional, value }) => (value === null && optional && fault !== "unknownField" ? "omit" : undefined),
  },
  emptyFields: {
    id: "Q2",
    evidence: ["evcc-io/evcc#17836", "EVerest/libocpp#678"],
    forgives:
      'an empty text, "0", 0 or an empty list in a field that may be absent and of which it is no value, or an object there with nothing else in it',
    repairs: "the field is left out",
    scope: "payload",
    mend: ({ expected, fault, field, optional, value }) => {
      if (!optional || value === null || fault === "unknownField" || expected === "boolean") return undefined;
      if (fault === "empty") return "omit";
      const isEmptyList = Array.isArray(value) && value.length === 0;
      // What is a number in quotes, a text without them, or data of DataTransfer is for the rows of these.
      const isValue =
        expected === "text" ? value === 0 || field === "data" : /^(number|integer)$/.test(expected) && value === "0";
      return !isValue && (isEmptyList || isPlaceholder(value)) ? "omit" : undefined;
    },
  },
  missingTimes: {
    id: "Q10",
    evidence: ["EVerest/libocpp#678"],
    forgives: "no time in a report that needs one, or nothing but an empty text, `null` or 0",
    repairs: "the time of receipt",
    guesses: true,
    scope: "payload",
    mend: (flaw) =>
      flaw.expected === "date-time" && flaw.reports && isMissing(flaw) ? { value: flaw.receivedAt } : undefined,
  },
  missingTransactionIds: {
    id: "Q12",
    evidence: [],
    forgives: "a StopTransaction without `transactionId`, or with an empty text or `null` there",
    repairs: "-1, which stands for an id that was never received: whose it is, the Central System knows better",
    guesses: true,
    scope: "payload",
    mend: ({ action, field, value }) =>
      action === "StopTransaction" &&
      field === "transactionId" &&
      (value === undefined || value === null || value === "")
        ? { value: -1 }
        : undefined,
  },
  missingErrorCodes: {
    id: "Q9",
    evidence: [],
    forgives: "a StatusNotification without `errorCode`, or with an empty text, `null` or 0 there",
    repairs: "`NoError`; `OtherError` where the status is `Faulted`",
    guesses: true,
    scope: "payload",
    mend: (flaw) => {
      if (flaw.field !== "errorCode" || flaw.expected !== "enum" || !isMissing(flaw)) return undefined;
      const { status } = flaw.around;
      const isFaulted = typeof status === "string" && status.length <= longestName && spelling(status) === "faulted";
      return { value: isFaulted ? "OtherError" : "NoError" };
    },
  },
  longTexts: {
    id: "Q3",
    evidence: [
      "mobilityhouse/ocpp#122",
      "mobilityhouse/ocpp PR#123",
      "mobilityhouse/ocpp#128",
      "mobilityhouse/ocpp#273",
      "lorenzodonini/ocpp-go#359",
      "lbbrhzn/ocpp#987",
      "lbbrhzn/ocpp#1155",
      "lbbrhzn/ocpp#1622",
      "lbbrhzn/ocpp#1803",
    ],
    forgives:
      "a text that is too long, but has no more than 255 characters, or twice as many as it may: a serial number, an `idTag`, a certificate",
    repairs: "passed on at full length",
    scope: "payload",
    mend: ({ fault, maxLength, value }) => {
      const longest = Math.max(longestText, 2 * maxLength);
      const text = fault === "tooLong" ? (value as string) : undefined;
      // A character has two UTF-16 units at most.
      return text !== undefined && text.length <= 2 * longest && codePoints(text) <= longest ? "keep" : undefined;
    },
  },
  extraFields: {
    id: "Q5",
    evidence: ["evcc-io/evcc#14579", "lorenzodonini/ocpp-go#279", "citrineos/citrineos-core PR#973"],
    forgives: "fields that the message does not have",
    repairs: "the fields are left out",
    scope: "payload",
    mend: ({ fault }) => (fault === "unknownField" ? "omit" : undefined),
  },
  unquotedTexts: {
    id: "Q6",
    evidence: [
      "mobilityhouse/ocpp#353",
      "mobilityhouse/ocpp#377",
      "mobilityhouse/ocpp PR#582",
      "lbbrhzn/ocpp#210",
      "OpenEVSE/openevse_esp32_firmware#335",
      "matth-x/MicroOcpp#51",
      "evcc-io/evcc#10339",
    ],
    forgives: "a number or a boolean in place of a text, such as the `value` of a sample or of a configuration key",
    repairs: "its JSON text; an integer whose digits are lost, because it is beyond 2^53, stays refused",
    scope: "payload",
    mend: ({ expected, fault, value }) =>
      expected === "text" &&
      fault === "wrongType" &&
      (typeof value === "boolean" ||
        (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))))
        ? { value: String(value) }
        : undefined,
  },
  quotedNumbers: {
    id: "Q6",
    evidence: [],
    forgives: 'a number in quotes, such as "7" or " 7.50"',
    repairs: "the number",
    scope: "payload",
    mend: ({ expected, value }) =>
      (expected === "number" || expected === "integer") && typeof value === "string" && number.test(value)
        ? { value: Number(value) }
        : undefined,
  },
  objectsInDataTransfer: {
    id: "Q6",
    evidence: ["mobilityhouse/ocpp#371", "mobilityhouse/ocpp#462", "matth-x/MicroOcpp#395", "EVerest/EVerest PR#2588"],
    forgives: "an object or a list as `data` of DataTransfer",
    repairs: "its JSON text",
    scope: "payload",
    mend: ({ expected, field, value }) => {
      if (field !== "data" || expected !== "text" || typeof value !== "object" || value === null) return undefined;
      try {
        return { value: JSON.stringify(value) };
      } catch {
        return undefined; // Nested so deeply that nothing can write it down again.
      }
    },
  },
  readonlyNotBoolean: {
    id: "Q6",
    evidence: ["evcc-io/evcc#26253", "evcc-io/evcc#10339"],
    forgives: '`readonly` as 0, 1, "false" or "true"',
    repairs: "the boolean",
    scope: "payload",
    mend: ({ expected, value }) => {
      if (expected !== "boolean") return undefined;
      if (value === 0 || value === "false") return { value: false };
      return value === 1 || value === "true" ? { value: true } : undefined;
    },
  },
  singleMeterValue: {
    id: "Q7",
    evidence: ["lbbrhzn/ocpp#1144"],
    forgives: "one object as `meterValue`, instead of a list",
    repairs: "a list with this object",
    scope: "payload",
    mend: ({ expected, field, value }) =>
      expected === "array" && field === "meterValue" && isObject(value) ? { value: [value] } : undefined,
  },
  emptyLists: {
    id: "Q7",
    evidence: ["lbbrhzn/ocpp#466", "evcc-io/evcc#25708", "evcc-io/evcc PR#15028"],
    forgives: "an empty list where at least one element is required",
    repairs: "passed on empty",
    scope: "payload",
    mend: ({ expected, fault, optional }) =>
      expected === "array" && fault === "empty" && !optional ? "keep" : undefined,
  },
  looseSpellings: {
    id: "Q9",
    evidence: [],
    forgives: 'a value of an enumeration in another case, or with blanks or underscores, such as " accepted"',
    repairs: "spelt as OCPP does",
    scope: "payload",
    mend: (flaw) => {
      const value = meantBy(flaw);
      return value === undefined ? undefined : { value };
    },
  },
  foreignStatuses: {
    id: "Q9",
    evidence: ["lbbrhzn/ocpp#1619"],
    forgives: "an answer with the status of another answer, such as `Accepted` to UnlockConnector",
    repairs: "the status of this answer that means the same: that it is done, that it is not, or that it cannot be",
    scope: "payload",
    mend: (flaw) => {
      const value = flaw.expected === "enum" && meantBy(flaw) === undefined ? ownStatus(flaw) : undefined;
      return value === undefined ? undefined : { value };
    },
  },
  unknownValues: {
    id: "Q9",
    evidence: [
      "mobilityhouse/ocpp PR#70",
      "mobilityhouse/ocpp#71",
      "mobilityhouse/ocpp PR#497",
      "mobilityhouse/ocpp#733",
      "mobilityhouse/ocpp PR#759",
      "mobilityhouse/ocpp#54",
      "lbbrhzn/ocpp#1576",
    ],
    forgives:
      "a value that OCPP does not know, of at most 50 characters, in a report: a `unit` such as Hz, a `measurand`, a `reason`, a `status`; or an empty one where it may not be absent",
    repairs: "passed on as it is",
    scope: "payload",
    mend: (flaw) => {
      if (!flaw.reports || flaw.expected !== "enum" || flaw.field === "errorCode") return undefined;
      const isEmpty = flaw.fault === "unknownValue" && isMissing(flaw);
      return isEmpty || isUnknownName(flaw) ? "keep" : undefined;
    },
  },
  unknownErrorCodes: {
    id: "Q9",
    evidence: ["lbbrhzn/ocpp#1248"],
    forgives: "an `errorCode` in StatusNotification that OCPP does not know, of at most 50 characters",
    repairs:
      "`OtherError`; the text moves to `vendorErrorCode`, or to `info` where that is taken, if one of them is free",
    scope: "payload",
    mend: (flaw) =>
      flaw.field === "errorCode" && isUnknownName(flaw)
        ? { value: "OtherError", beside: ["vendorErrorCode", "info"] }
        : undefined,
  },
  hugeTransactionIds: {
    id: "Q11",
    evidence: ["steve-community/steve#740", "lorenzodonini/ocpp-go#188", "mobilityhouse/ocpp#617"],
    forgives: "a `transactionId` beyond 2^53 in MeterValues or StopTransaction, which this library has never issued",
    repairs: "left out of MeterValues; -1, which stands for an id that was never received, in StopTransaction",
    scope: "payload",
    mend: ({ action, fault, field, optional, value }) => {
      const reported = action === "MeterValues" || action === "StopTransaction";
      if (!reported || field !== "transactionId" || fault !== "outOfRange" || !Number.isInteger(value))
        return undefined;
      return optional ? "omit" : { value: -1 };
    },
  },
  fractionalMeterReadings: {
    id: "Q13",
    evidence: ["shiv3/ocpp-cp-simulator PR#83", "EVerest/libocpp#638", "lorenzodonini/ocpp-go PR#114"],
    forgives: "a `meterStart` or `meterStop` with decimals",
    repairs: "rounded to whole Wh",
    scope: "payload",
    mend: ({ field, value }) =>
      (field === "meterStart" || field === "meterStop") && typeof value === "number" && !Number.isInteger(value)
        ? { value: Math.round(value) }
        : undefined,
  },
});

const frameQuirks = /* @__PURE__ */ defineQuirks({
  strayCharacters: {
    id: "Q24",
    evidence: ["evcc-io/evcc#3685", "lbbrhzn/ocpp#176", "lbbrhzn/ocpp#442"],
    forgives: "NUL characters anywhere, or byte order marks and white space of any kind around the JSON",
    repairs: "read without them",
    scope: "frame",
    cleaned: (text) => text.split("\0").join("").trim(),
  },
  leftOutValues: {
    id: "Q24",
    evidence: ["lbbrhzn/ocpp#2032"],
    forgives: 'fields without a value, such as "transactionId":,',
    repairs: "read without these fields",
    scope: "frame",
    cleaned: withoutLeftOutFields,
  },
  extraCommas: {
    id: "Q24",
    evidence: [],
    forgives: "a comma before the end of a list or an object, two between fields, or one behind the message",
    repairs: "read without it; two commas in a list, where a value may be left out, stay refused",
    scope: "frame",
    cleaned: withoutExtraCommas,
  },
  missingBrackets: {
    id: "Q24",
    evidence: [],
    forgives: "brackets missing at its end",
    repairs:
      "read with them, if it ends with a text or a bracket; a number, of which digits may be missing, too, stays refused",
    scope: "frame",
    cleaned: withClosingBrackets,
  },
  quotedMessageTypes: {
    id: "J-D05",
    evidence: [],
    forgives: 'the message type in quotes: "2", "3" or "4"',
    repairs: "read as the number",
    scope: "frame",
    elements: (elements) => {
      const [type] = elements;
      return type === "2" || type === "3" || type === "4"
        ? Object.assign([...elements], { 0: Number(type) })
        : undefined;
    },
  },
  numericMessageIds: {
    id: "J-D06",
    evidence: ["goecharger/go-eCharger-API-v2#106"],
    forgives: "a message id that is an integer instead of a text",
    repairs: "read as its decimal text, with which a CALL is also answered; one beyond 2^53 stays refused",
    scope: "frame",
    elements: (elements) =>
      Number.isSafeInteger(elements[1]) ? Object.assign([...elements], { 1: String(elements[1]) }) : undefined,
  },
  emptyMessageIds: {
    id: "Q15",
    evidence: [],
    forgives: "an empty text as the message id of a CALL",
    repairs: "the CALL is served, and answered under the empty id",
    scope: "frame",
    emptyMessageId: true,
  },
  extraElements: {
    id: "J-D10",
    evidence: [],
    forgives: "more than the four elements of a CALL, or the three of a CALLRESULT",
    repairs: "the extra elements are ignored",
    scope: "frame",
    elements: (elements) => {
      const length = lengths.get(elements[0]);
      return length !== undefined && elements.length > length ? elements.slice(0, length) : undefined;
    },
  },
});

const handshakeQuirks = /* @__PURE__ */ defineQuirks({
  missingSubprotocol: {
    id: "Q18",
    evidence: [
      "steve-community/steve#135",
      "steve-community/steve#1109",
      "lbbrhzn/ocpp#442",
      "sap-labs-france/ev-server#2761",
      "dallmann-consulting/OCPP.Core#43",
    ],
    forgives:
      "no header Sec-WebSocket-Protocol, whichever end leaves it out; one that names only other subprotocols stays refused",
    repairs: "OCPP 1.6 is spoken",
    scope: "handshake",
    subprotocol: "ocpp1.6",
  },
  misspeltSubprotocols: {
    id: "Q18",
    evidence: [],
    forgives: "the subprotocol in another case or with a letter behind it, such as OCPP1.6 or ocpp1.6J",
    repairs: "OCPP 1.6 is spoken, and the answer spells it as it was offered",
    scope: "handshake",
    means: (offered) => /^ocpp1\.6[a-z]?$/i.test(offered),
  },
  slashesInPath: {
    id: "Q19",
    evidence: ["OpenEMS/openems#1401", "EVerest/libocpp PR#801", "lorenzodonini/ocpp-go PR#73"],
    forgives: "doubled slashes in the path of the connection URL, or slashes at its end",
    repairs: "read with single slashes, and none at the end",
    scope: "handshake",
    path: (path) => path.replaceAll(/\/{2,}/g, "/").replace(/\/$/, ""),
  },
  hexadecimalKeys: {
    id: "Q23",
    evidence: [
      "shiv3/ocpp-cp-simulator#260",
      "shiv3/ocpp-cp-simulator PR#264",
      "EVerest/EVerest#2034",
      "EVerest/EVerest PR#2042",
      "steve-community/steve#1895",
      "steve-community/steve PR#1899",
      "ChargeTimeEU/Java-OCA-OCPP PR#143",
      "ChargeTimeEU/Java-OCA-OCPP PR#163",
      "ChargeTimeEU/Java-OCA-OCPP PR#304",
      "ChargeTimeEU/Java-OCA-OCPP PR#352",
      "evbox/station-simulator#41",
    ],
    forgives: "the AuthorizationKey as 32 to 40 hexadecimal digits in the Authorization header, instead of its bytes",
    repairs: "checked as its 16 to 20 bytes, after the password itself was found wrong",
    scope: "handshake",
    password: (password) => {
      const text = password.length <= 40 ? String.fromCharCode(...password) : "";
      return /^(?:[\da-f]{2}){16,20}$/i.test(text)
        ? Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
        : undefined;
    },
  },
});

/**
 * One table of several. In a function, because bundlers keep a table that spreads others, used or not.
 *
 * @__NO_SIDE_EFFECTS__
 */
function joined<A, B, C, D>(payloads: A, dateTimes: B, frames: C, handshakes: D): A & B & C & D {
  return { ...payloads, ...dateTimes, ...frames, ...handshakes };
}

/**
 * Every quirk by its name, for `tolerate`.
 *
 * @spec OCPP-J 1.6 §4 rows J-D05, J-D06, J-D10 of the decision table; [Q1 … Q24]
 */
export const quirks = /* @__PURE__ */ joined(payloadQuirks, dateTimeQuirks, frameQuirks, handshakeQuirks);

/** The rows of `quirks` with these names. */
type Names = keyof typeof quirks;

/**
 * Groups the quirks that were seen together.
 *
 * @__NO_SIDE_EFFECTS__
 */
function grouped<const Groups extends Readonly<Record<string, readonly Names[]>>>(groups: Groups) {
  return Object.fromEntries(
    Object.entries(groups).map(([vendor, names]) => [vendor, names.map((name) => quirks[name])]),
  ) as unknown as { readonly [Vendor in keyof Groups & string]: readonly Quirk[] };
}

/**
 * What is known of chargers of some vendors: only what the evidence of the quirks names, and not of every model or firmware.
 * The groups are lists: `[...vendorQuirks.growatt, quirks.nullFields]`.
 */
export const vendorQuirks = /* @__PURE__ */ grouped({
  aefa: ["leftOutValues", "localTimes"],
  alfen: ["hugeTransactionIds"],
  chargeAmps: ["unknownValues"],
  grizzlE: ["foreignStatuses", "missingSubprotocol"],
  growatt: ["localTimes"],
  huawei: ["singleMeterValue"],
  legrand: ["unknownErrorCodes"],
  openEvse: ["unquotedTexts"],
  scame: ["unquotedTexts"],
  schneiderElectric: ["longTexts"],
  wallbe: ["strayCharacters"],
});
