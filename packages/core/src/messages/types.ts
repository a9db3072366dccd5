/**
 * The types of OCPP 1.6 §7, as schemas.
 *
 * Every constraint is written once, in zod's own words (`maxLength`, `gte`, `minLength`, `stringFormat`, …). zod parses
 * with them, `guard.ts` runs the same check objects, `validate.ts` words the issues they report, and
 * `z.toJSONSchema(schema)` tells them completely, which is how generators and tables read them. Only field-local rules
 * are here: what relates two fields, or a field and the state of a charge point, is for those who act on the message.
 */
import * as z from "zod/mini";

/** One of the two ends of a connection. */
export type Role = "ChargePoint" | "CentralSystem";

/**
 * A feature profile as `SupportedFeatureProfiles` reports it.
 *
 * @spec OCPP 1.6 §3.3 [CORE-GEN-01]
 */
export type FeatureProfile =
  | "Core"
  | "FirmwareManagement"
  | "LocalAuthListManagement"
  | "RemoteTrigger"
  | "Reservation"
  | "SmartCharging";

/** What the table knows of one action. */
export interface ActionDefinition {
  /** The roles that may send the CALL. */
  readonly from: readonly Role[];
  /** The feature profile; `undefined` for the actions of the security white paper, which belong to none. */
  readonly profile: FeatureProfile | undefined;
  /** The payload of the CALL. */
  readonly req: z.core.$ZodObject;
  /** The payload of the CALLRESULT. */
  readonly conf: z.core.$ZodObject;
}

/**
 * Defines one action, keeping the literal types of its definition.
 *
 * @__NO_SIDE_EFFECTS__
 */
export function action<const D extends ActionDefinition>(definition: D): D {
  return definition;
}

/**
 * Text of at most `maxLength` characters, counted in Unicode code points as JSON Schema does.
 *
 * @__NO_SIDE_EFFECTS__
 */
export function text(maxLength: number) {
  return z.string().check(z.maxLength(maxLength));
}

/**
 * A list with at least one element: what the documents write as cardinality 1..*.
 *
 * @__NO_SIDE_EFFECTS__
 */
export function oneOrMore<T extends z.core.SomeType>(element: T) {
  return z.array(element).check(z.minLength(1));
}

/** @__NO_SIDE_EFFECTS__ */
function integerFrom(minimum: number) {
  return z.int().check(z.gte(minimum));
}

const dateTime =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** In upper case, as ISO 8601 wants it, and without leap seconds, which no `Date` can hold. */
function isDateTime(value: string): boolean {
  if (!dateTime.test(value)) return false;
  const day = Number(value.slice(8, 10));
  if (day <= 28) return true;
  const year = Number(value.slice(0, 4));
  const month = Number(value.slice(5, 7));
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day <= last;
}

const uriScheme = /^[A-Za-z][A-Za-z\d+.-]*:/;
const notInUri = /[^\w\-.~:/?#@!$&'()*+,;=%[\]]|%(?![\dA-Fa-f]{2})|#[^#]*#/;

/** Looks for what a URI must not contain: one pattern for all of it overflows the stack on megabytes of text. */
function isUri(value: string): boolean {
  return uriScheme.test(value) && !notInUri.test(value);
}

/**
 * A number with at most one decimal. zod's own `multipleOf(0.1)` allows for no more than the rounding of one division;
 * limits that were added up or converted deviate by more, so a millionth of a tenth is forgiven. The check
 * presents itself as `multiple_of`, so that whoever reads the schema sees the rule in the usual place.
 *
 * @__NO_SIDE_EFFECTS__
 */
function oneDecimal() {
  const check = z.check<number>(({ value, issues }) => {
    const tenths = value * 10;
    if (Math.abs(tenths - Math.round(tenths)) < 1e-6) return;
    issues.push({ code: "not_multiple_of", origin: "number", divisor: 0.1, input: value, continue: true });
  });
  Object.assign(check._zod.def, { check: "multiple_of", value: 0.1 });
  return z.number().check(check);
}

// Case-insensitive text: two values that differ only in case are equal, but the spelling is kept.
// OCPP 1.6 §7.15 … §7.19 [TYP-36, CORE-IDT-06]
export const CiString20 = /* @__PURE__ */ text(20);
export const CiString25 = /* @__PURE__ */ text(25);
export const CiString50 = /* @__PURE__ */ text(50);
export const CiString255 = /* @__PURE__ */ text(255);
export const CiString500 = /* @__PURE__ */ text(500);

/** Text without a limit. */
export const Text = /* @__PURE__ */ z.string();

/**
 * A whole number that JavaScript represents exactly: `10` and `10.0`, not `10.5` and not 2^53.
 *
 * @spec [J-125]
 */
export const Integer = /* @__PURE__ */ z.int();

/**
 * A number with at most one decimal; `8.1` is one.
 *
 * @spec OCPP 1.6 §7.13, §7.14 [J-126]
 */
export const Decimal = /* @__PURE__ */ oneDecimal();

/**
 * The id of a connector: 1, 2, …
 *
 * @spec OCPP 1.6 §3.8 [CORE-CONN-01, CORE-CONN-07, J-198]
 */
export const ConnectorId = /* @__PURE__ */ integerFrom(1);

/**
 * The id of a connector, or 0 for the charge point as a whole or its main controller.
 *
 * @spec OCPP 1.6 §3.8 [CORE-CONN-04, CORE-CONN-05, CORE-CONN-07]
 */
export const ConnectorIdOrZero = /* @__PURE__ */ integerFrom(0);

/**
 * A moment as RFC 3339 text, for example `2025-01-31T12:00:00.5+01:00`: seconds and `Z` or an offset are mandatory, a
 * fraction is allowed, the day must exist. It stays text, so that nothing is lost when it is stored or passed on.
 *
 * @spec OCPP 1.6 §3.15; OCPP-J schemas, format `date-time` [CORE-TIME-01, CORE-TIME-02, CORE-TIME-05, TYP-42]
 */
export const DateTime = /* @__PURE__ */ z.stringFormat("date-time", isDateTime);

/**
 * An absolute URI in ASCII, as in RFC 3986; other characters are percent-encoded.
 *
 * @spec OCPP-J schemas, format `uri` [TYP-43, FM-33]
 */
export const AnyUri = /* @__PURE__ */ z.stringFormat("uri", isUri);

/**
 * The identifier of a user, for example a card: any text of at most 20 characters. Nothing may be assumed about it.
 *
 * @spec OCPP 1.6 §7.28 [TYP-37, CORE-IDT-01, CORE-IDT-02]
 */
export const IdToken = CiString20;

/**
 * What the Central System says about an identifier.
 *
 * @spec OCPP 1.6 §7.27, §7.2 [TYP-01, TYP-38]
 */
export const IdTagInfo = /* @__PURE__ */ z.strictObject({
  /** The moment at which the identifier leaves the authorization cache; absent: never. */
  expiryDate: z.optional(DateTime),
  /** The group: identifiers with the same parent may stop each other's transactions. */
  parentIdTag: z.optional(IdToken),
  /** Only `Accepted` allows charging. `ConcurrentTx` is meant for StartTransaction alone. */
  status: z.enum(["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]),
});

/**
 * One entry of a Local Authorization List update.
 *
 * @spec OCPP 1.6 §7.1 [TYP-41]
 */
export const AuthorizationData = /* @__PURE__ */ z.strictObject({
  idTag: IdToken,
  /** Required in a full update; in a differential one its absence deletes the entry. */
  idTagInfo: z.optional(IdTagInfo),
});

/**
 * One configuration setting.
 *
 * @spec OCPP 1.6 §7.29 [TYP-39]
 */
export const KeyValue = /* @__PURE__ */ z.strictObject({
  key: CiString50,
  /** Whether ChangeConfiguration cannot set it. */
  readonly: z.boolean(),
  /** Absent when the key is known but not set. */
  value: z.optional(CiString500),
});

/**
 * One measured value. What is absent has a default: an active import energy register in Wh, sampled periodically at
 * the outlet.
 *
 * @spec OCPP 1.6 §7.43 [CORE-MV-11, TYP-18, TYP-20 … TYP-23, TYP-35]
 */
export const SampledValue = /* @__PURE__ */ z.strictObject({
  /** A decimal number as text, or the hexadecimal digits of a signed block. */
  value: Text,
  /** What made the meter be read; absent: `Sample.Periodic`. */
  context: z.optional(
    z.enum([
      "Interruption.Begin",
      "Interruption.End",
      "Other",
      "Sample.Clock",
      "Sample.Periodic",
      "Transaction.Begin",
      "Transaction.End",
      "Trigger",
    ]),
  ),
  /** How to read `value`; absent: `Raw`. */
  format: z.optional(z.enum(["Raw", "SignedData"])),
  /** Absent: `Energy.Active.Import.Register`. `.Offered` values are maxima, not measurements. */
  measurand: z.optional(
    z.enum([
      "Current.Export",
      "Current.Import",
      "Current.Offered",
      "Energy.Active.Export.Register",
      "Energy.Active.Import.Register",
      "Energy.Reactive.Export.Register",
      "Energy.Reactive.Import.Register",
      "Energy.Active.Export.Interval",
      "Energy.Active.Import.Interval",
      "Energy.Reactive.Export.Interval",
      "Energy.Reactive.Import.Interval",
      "Frequency",
      "Power.Active.Export",
      "Power.Active.Import",
      "Power.Factor",
      "Power.Offered",
      "Power.Reactive.Export",
      "Power.Reactive.Import",
      "RPM",
      "SoC",
      "Temperature",
      "Voltage",
    ]),
  ),
  /** Seen from the meter, not from the connector; absent: the overall value. */
  phase: z.optional(z.enum(["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"])),
  /** Where it was measured; absent: `Outlet`. */
  location: z.optional(z.enum(["Body", "Cable", "EV", "Inlet", "Outlet"])),
  /** Absent: `Wh` for energy; a frequency is always in hertz and has no unit. */
  unit: z.optional(
    z.enum([
      "Wh",
      "kWh",
      "varh",
      "kvarh",
      "W",
      "kW",
      "VA",
      "kVA",
      "var",
      "kvar",
      "A",
      "V",
      // Send "Celsius". The published schemas misspell it on purpose ("do not fix"), so both are understood.
      // OCPP-J errata 2.1 [J-195, J-196]
      "Celsius",
      "Celcius",
      "Fahrenheit",
      "K",
      "Percent",
    ]),
  ),
});

/**
 * The values that were sampled at one moment.
 *
 * @spec OCPP 1.6 §7.33 [TYP-40, CORE-MV-10]
 */
export const MeterValue = /* @__PURE__ */ z.strictObject({
  timestamp: DateTime,
  sampledValue: oneOrMore(SampledValue),
});

/**
 * The unit of a charging schedule: `W` is the power of all phases together, `A` the current of each phase.
 *
 * @spec OCPP 1.6 §7.12 [TYP-10, SC-38, SC-39]
 */
export const ChargingRateUnit = /* @__PURE__ */ z.enum(["W", "A"]);

/**
 * What a charging profile limits: the charge point, new transactions, or one transaction.
 *
 * @spec OCPP 1.6 §7.10 [TYP-08, SC-01]
 */
export const ChargingProfilePurpose = /* @__PURE__ */ z.enum([
  "ChargePointMaxProfile",
  "TxDefaultProfile",
  "TxProfile",
]);

/**
 * One step of a charging schedule; it lasts until the next one starts.
 *
 * @spec OCPP 1.6 §7.14
 */
const ChargingSchedulePeriod = /* @__PURE__ */ z.strictObject({
  /** Seconds from the start of the schedule; 0 for the first period. */
  startPeriod: Integer,
  /** In the schedule's `chargingRateUnit`, with at most one decimal. */
  limit: Decimal,
  /** Absent: 3. */
  numberPhases: z.optional(Integer),
});

/**
 * Limits over time.
 *
 * @spec OCPP 1.6 §7.13
 */
export const ChargingSchedule = /* @__PURE__ */ z.strictObject({
  /** Seconds; absent: the last period goes on. */
  duration: z.optional(Integer),
  /** Absent: relative to the start of charging. Not in GetCompositeSchedule.conf (errata 3.57). */
  startSchedule: z.optional(DateTime),
  chargingRateUnit: ChargingRateUnit,
  chargingSchedulePeriod: oneOrMore(ChargingSchedulePeriod),
  /** In `chargingRateUnit`, with at most one decimal: charging below it is inefficient. */
  minChargingRate: z.optional(Decimal),
});

/**
 * A charging schedule with its purpose, rank and validity.
 *
 * @spec OCPP 1.6 §7.8 [TYP-07, TYP-25]
 */
export const ChargingProfile = /* @__PURE__ */ z.strictObject({
  chargingProfileId: Integer,
  /** Only with purpose `TxProfile`. */
  transactionId: z.optional(Integer),
  /** The highest level that is valid prevails; the lowest is 0. */
  stackLevel: integerFrom(0),
  chargingProfilePurpose: ChargingProfilePurpose,
  chargingProfileKind: z.enum(["Absolute", "Recurring", "Relative"]),
  /** Only with kind `Recurring` (errata 3.56). */
  recurrencyKind: z.optional(z.enum(["Daily", "Weekly"])),
  /** Absent: valid from its receipt. */
  validFrom: z.optional(DateTime),
  /** Absent: valid until it is replaced. */
  validTo: z.optional(DateTime),
  chargingSchedule: ChargingSchedule,
});
