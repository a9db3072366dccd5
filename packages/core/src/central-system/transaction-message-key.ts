import { dateTimeOf, isMoment } from "../date-time.ts";
import { digest } from "../digest.ts";
import type { Req } from "../messages/actions.ts";

/** The actions that report a transaction, and are therefore repeated until they are answered. [CORE-TXQ-01] */
type TransactionAction = "StartTransaction" | "StopTransaction" | "MeterValues";

/**
 * Tells a repeated transaction message from a new one: two messages of a Charge Point have the same key when they report
 * the same event. A Charge Point that got no answer sends the message again, on another connection and under another
 * message id; nothing but the content is the same.
 *
 * - StartTransaction: connector, idTag, timestamp, meterStart.
 * - StopTransaction: transaction id, timestamp, meterStop, idTag.
 * - MeterValues: connector, transaction id, first timestamp, and a 64-bit digest of all values with their timestamps.
 *
 * Timestamps that name the same moment are the same, and so are idTags that differ in case only. Not recognised is a
 * message that was changed before it was repeated: its timestamp by a clock that was set meanwhile, its transaction id
 * from -1 to the real one. Not told apart are the events of a Charge Point whose clock and meter begin at the same values
 * after each start, and two transactions with the id -1 that stop at the same moment with the same reading.
 *
 * @param identity - The identity of the Charge Point; case matters.
 * @returns Printable text without NUL, for the UNIQUE column of a table; compare it byte by byte. It is as long as the
 * identity and some 150 characters.
 * @spec OCPP 1.6 §3.7, §4.7, §4.8, §4.10 [CORE-TXQ-15, CORE-IDT-06, CORE-TIME-02, Q14]
 */
export function transactionMessageKey<A extends TransactionAction>(identity: string, action: A, req: Req<A>): string {
  // A JSON array keeps its elements apart whatever they contain.
  return JSON.stringify([action, identity, ...contents[action](req)]);
}

const contents: { readonly [A in TransactionAction]: (req: Req<A>) => readonly unknown[] } = {
  StartTransaction: ({ connectorId, idTag, timestamp, meterStart }) => [
    connectorId,
    idTag.toLowerCase(),
    moment(timestamp),
    meterStart,
  ],
  // Not the transaction id alone: it may be -1, or one that the Charge Point made up.
  StopTransaction: ({ transactionId, timestamp, meterStop, idTag }) => [
    transactionId,
    moment(timestamp),
    meterStop,
    idTag?.toLowerCase(),
  ],
  MeterValues: ({ connectorId, transactionId, meterValue }) => [
    connectorId,
    transactionId,
    moment(meterValue[0]?.timestamp ?? ""),
    digest(
      JSON.stringify(
        meterValue.map(({ timestamp, sampledValue }) => [
          moment(timestamp),
          ...sampledValue.map(({ value, context, format, measurand, phase, location, unit }) => [
            value,
            context,
            format,
            measurand,
            phase,
            location,
            unit,
          ]),
        ]),
      ),
    ),
  ],
};

/** The same text for the same moment; a text that names none, because its zone is missing, is taken literally. */
function moment(timestamp: string): string {
  const time = /(?:Z|[+-]\d\d:\d\d)$/i.test(timestamp) ? Date.parse(timestamp) : Number.NaN;
  return isMoment(time) ? dateTimeOf(time) : timestamp;
}
