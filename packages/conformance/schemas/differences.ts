import type { Action } from "@ocppj/core";
import { type JsonSchema, type Kind, mapped } from "./json-schema.ts";

/**
 * A rule of OCPP 1.6 that its JSON schemas do not say, because it is in the text only: the action table is stricter there.
 * Nothing else may tell them apart.
 */
export interface MissingRule {
  /** What the schemas do not say. */
  readonly rule: string;
  /** What the part of a schema gets where the rule applies. */
  readonly add: (part: JsonSchema, name: string, action: Action, kind: Kind) => Partial<JsonSchema> | undefined;
  /** A payload that only the rule refuses. */
  readonly example: readonly [action: Action, kind: Kind, payload: unknown];
}

const timestamp = "2026-01-01T00:00:00Z";

/** These name a connector that exists; elsewhere 0 stands for the charge point itself, or for any connector. */
const withoutConnectorZero: readonly Action[] = [
  "ExtendedTriggerMessage",
  "RemoteStartTransaction",
  "StartTransaction",
  "UnlockConnector",
];

export const missingRules: readonly MissingRule[] = [
  {
    rule: "an integer is one that JavaScript represents exactly [J-125]",
    add: ({ type }) =>
      type === "integer" ? { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER } : undefined,
    example: ["CancelReservation", "req", { reservationId: 2 ** 53 }],
  },
  {
    rule: "the id of a connector is no negative number [CORE-CONN-07]",
    add: (_, name) => (name === "connectorId" ? { minimum: 0 } : undefined),
    example: ["ChangeAvailability", "req", { connectorId: -1, type: "Operative" }],
  },
  {
    rule: "connector 0 is no connector at which something starts or is unlocked [CORE-CONN-04]",
    add: (_, name, action) =>
      name === "connectorId" && withoutConnectorZero.includes(action) ? { minimum: 1 } : undefined,
    example: ["UnlockConnector", "req", { connectorId: 0 }],
  },
  {
    rule: "the lowest stack level of a charging profile is 0 [TYP-07]",
    add: ({ properties }) =>
      properties?.chargingProfileId !== undefined
        ? { properties: { ...properties, stackLevel: { ...properties.stackLevel, minimum: 0 } } }
        : undefined,
    example: [
      "SetChargingProfile",
      "req",
      {
        connectorId: 1,
        csChargingProfiles: {
          chargingProfileId: 1,
          stackLevel: -1,
          chargingProfilePurpose: "TxProfile",
          chargingProfileKind: "Relative",
          chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 }] },
        },
      },
    ],
  },
  {
    rule: "a list that is written 1..* has an element [CORE-MV-10]",
    add: (_, name) =>
      ["meterValue", "sampledValue", "chargingSchedulePeriod"].includes(name) ? { minItems: 1 } : undefined,
    example: ["MeterValues", "req", { connectorId: 1, meterValue: [{ timestamp, sampledValue: [] }] }],
  },
  {
    // ajv-formats forgives a space for the T, lower case, leap seconds, an absent offset and offsets that there are not.
    rule: "a date-time is one of RFC 3339, in upper case, with an offset, and one that a Date can hold [CORE-TIME-05]",
    add: ({ format }) =>
      format === "date-time"
        ? { pattern: "^[-\\d]{10}T([01]\\d|2[0-3])(:[0-5]\\d){2}(\\.\\d+)?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)$" }
        : undefined,
    example: ["Heartbeat", "conf", { currentTime: "2026-01-01T00:00:00" }],
  },
];

/** A schema with what the schemas do not say. */
export function completed(
  schema: JsonSchema,
  [action, kind]: readonly [Action, Kind],
  rules = missingRules,
): JsonSchema {
  // A rule may refine what an earlier one has added.
  return rules.reduce(
    (result, { add }) => mapped(result, (part, name) => ({ ...part, ...add(part, name, action, kind) })),
    schema,
  );
}

/** Where the validator of ocpp-rpc refuses what OCPP allows: the action table is more lenient there. */
export const refusedInError: readonly {
  readonly what: string;
  readonly is: (value: unknown) => boolean;
  readonly example: readonly [action: Action, kind: Kind, payload: unknown];
}[] = [
  {
    // `uri` of ajv-formats wants a path with something in it. RFC 3986 does not.
    what: "a URI that is nothing but a scheme [TYP-43]",
    is: (value) => value === "s:",
    example: ["GetDiagnostics", "req", { location: "s:" }],
  },
  {
    // It divides by 0.1 and forgives a millionth; beyond 2^30 the rounding of that division is more.
    what: "a decimal with ten digits before the point [J-126]",
    is: (value) => typeof value === "number" && !Number.isInteger(value) && Math.abs(value) > 1e9,
    example: [
      "GetCompositeSchedule",
      "conf",
      {
        status: "Accepted",
        chargingSchedule: { chargingRateUnit: "W", chargingSchedulePeriod: [{ startPeriod: 0, limit: 2 ** 31 + 0.1 }] },
      },
    ],
  },
];

/** Whether a payload contains nothing that ocpp-rpc refuses in error. */
export function isReadable(payload: unknown): boolean {
  if (refusedInError.some(({ is }) => is(payload))) return false;
  if (typeof payload !== "object" || payload === null) return true;
  return Object.values(payload).every(isReadable);
}
