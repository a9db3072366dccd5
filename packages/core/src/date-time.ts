/** The first and the last moment that RFC 3339 can name, in milliseconds since the epoch. */
const first = Date.parse("0000-01-01T00:00:00.000Z");
const last = Date.parse("9999-12-31T23:59:59.999Z");

/** Whether a date-time can name a moment, in milliseconds since the epoch: it lies in the years 0 to 9999. */
export const isMoment = (time: number): boolean => time >= first && time <= last;

/**
 * The date-time of a moment, in UTC. It is the only way in which this package makes one, and never throws.
 *
 * @param time - Milliseconds since the epoch. Of what no date-time can name the nearest that one can, of NaN 1970.
 * @spec OCPP 1.6 §3.14 [CORE-TIME-02, CORE-TIME-04]
 */
export function dateTimeOf(time: number): string {
  const moment = Number.isNaN(time) ? 0 : Math.min(last, Math.max(first, time));
  return new Date(moment).toISOString();
}
