/**
 * How real software writes date-times that are none in RFC 3339, one row each; they are rows of `quirks`, too.
 *
 * They have a file of their own because a charge point reads them without being asked to: a central system that writes
 * times like this must not keep it from registering, and the rest of the table stays out of its bundle.
 */
import { guardOf } from "./guard.ts";
import { defineQuirks, type Flaw, type Mending, repairPayload } from "./tolerance.ts";
import { DateTime } from "./types.ts";

/** How long a text may be that is read as a date-time. */
const longestDateTime = 50;

/**
 * The repair of a text that should be a date-time.
 *
 * @__NO_SIDE_EFFECTS__
 */
function rewritten(rewrite: (text: string) => string): (flaw: Flaw) => Mending | undefined {
  return ({ expected, value }) => {
    if (expected !== "date-time" || typeof value !== "string" || value.length > longestDateTime) return undefined;
    const text = rewrite(value);
    return text === value || text === "" ? undefined : { value: text };
  };
}

/**
 * The quirks of date-times. What one row makes may need another one; each is used at most once for a date-time.
 *
 * @spec OCPP 1.6 §3.15 [CORE-TIME-05, Q10]
 */
export const dateTimeQuirks = /* @__PURE__ */ defineQuirks({
  lowerCaseTimes: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time with a lower-case t or z",
    repairs: "in upper case",
    scope: "payload",
    mend: rewritten((text) => text.replace(/^([\d-]+)t/, "$1T").replace(/(\d)z(?=$|\[)/, "$1Z")),
  },
  spacedTimes: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time with a space in place of the T, such as 2013-01-01 00:00:00Z",
    repairs: "with the T",
    scope: "payload",
    mend: rewritten((text) => text.replace(/^([\d-]+) (?=\d)/, "$1T")),
  },
  singleDigits: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time with a month, day, hour, minute, second or offset of one digit, such as 2013-1-1T5:00:00Z",
    repairs: "it gets its zero",
    scope: "payload",
    mend: rewritten((text) =>
      text.replace(/^\d{4}-\d[^[]*/, (time) =>
        time.replace(/([.,]\d+)|\d+/g, (digits, fraction) => fraction ?? digits.padStart(2, "0")),
      ),
    ),
  },
  paddedTimes: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time with blanks around it, or before its offset, such as 2013-01-01T00:00:00 Z",
    repairs: "without them",
    scope: "payload",
    mend: rewritten((text) => text.trim().replace(/\s+(?=Z$|[+-]\d)/i, "")),
  },
  commaFractions: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time with a comma before the fraction of its second, such as 2013-01-01T00:00:00,5Z",
    repairs: "with a point",
    scope: "payload",
    mend: rewritten((text) => text.replace(/([T ][\d:]+),(?=\d)/, "$1.")),
  },
  missingSeconds: {
    id: "Q10",
    evidence: ["foxriver76/ioBroker.ocpp#24"],
    forgives: "a date-time without seconds, such as 2013-01-01T00:00Z",
    repairs: "the time gets its :00",
    scope: "payload",
    mend: rewritten((text) => text.replace(/(T\d\d:\d\d)(?=$|[Z+[-])/, "$1:00")),
  },
  leapSeconds: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time within a leap second, such as 2016-12-31T23:59:60Z",
    repairs: "it is taken for the second before",
    scope: "payload",
    mend: rewritten((text) => text.replace(/(T\d\d:\d\d):60/, "$1:59")),
  },
  shortOffsets: {
    id: "Q10",
    evidence: ["monta-app/ocpp-emulator#5"],
    forgives: "a date-time whose offset has no minutes, such as +02",
    repairs: "the offset gets its :00",
    scope: "payload",
    mend: rewritten((text) => text.replace(/(T.+[+-]\d\d)$/, "$1:00")),
  },
  compactOffsets: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time whose offset has no colon, such as +0000",
    repairs: "the offset gets its colon",
    scope: "payload",
    mend: rewritten((text) => text.replace(/(T.+[+-]\d\d)(\d\d)$/, "$1:$2")),
  },
  repeatedOffsets: {
    id: "Q10",
    evidence: [],
    forgives: "a date-time with a Z behind the offset +00:00",
    repairs: "without the Z",
    scope: "payload",
    mend: rewritten((text) => text.replace(/(T.+\+00:?00)[Zz]$/, "$1")),
  },
  localTimes: {
    id: "Q10",
    evidence: [
      "lbbrhzn/ocpp#2032",
      "evcc-io/evcc#10399",
      "lorenzodonini/ocpp-go#237",
      "lorenzodonini/ocpp-go#20",
      "mobilityhouse/ocpp#230",
      "EVerest/ocpp-csms PR#7",
    ],
    forgives: "a date-time without an offset, which is the local time of nobody knows where",
    repairs: "it is taken for UTC",
    guesses: true,
    scope: "payload",
    mend: rewritten((text) => text.replace(/(T[\d:.]+)$/, "$1Z")),
  },
  zoneNames: {
    id: "Q10",
    evidence: ["ChargeTimeEU/Java-OCA-OCPP#114", "ChargeTimeEU/Java-OCA-OCPP PR#145"],
    forgives: "the name of a time zone behind a date-time and its offset, such as Z[GMT]",
    repairs: "the name is cut off",
    scope: "payload",
    mend: rewritten((text) => text.replace(/(T.+(?:Z|[+-]\d\d(?::?\d\d)?))\[[\w/+-]+\]$/, "$1")),
  },
});

/**
 * Reads a date-time as these quirks do.
 *
 * @returns It in RFC 3339; `undefined` when it cannot be read.
 */
export function readDateTime(value: unknown): string | undefined {
  if (guardOf(DateTime)(value)) return value as string;
  // Heartbeat.conf is nothing but a date-time.
  const repaired = repairPayload(Object.values(dateTimeQuirks), "Heartbeat", "conf", { currentTime: value }, "");
  return (repaired?.payload as { readonly currentTime: string } | undefined)?.currentTime;
}
