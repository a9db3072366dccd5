/*
 * What a Charge Point can read in answers of the Central System that violate their schemas.
 *
 * Such an answer is reported as a violation, and its parts count all the same: a charger that does not register because of
 * a date, or does not know the id of a transaction because of a field beside it, has nobody to mend it. Each function
 * takes any payload at all and never throws; what it returns is strict again.
 */
import type { IdTagInfo } from "../authorization/id-tag.ts";
import { PayloadError } from "../errors.ts";
import { actions, type Conf } from "../messages/actions.ts";
import { readDateTime } from "../messages/date-time-quirks.ts";
import { guardOf, isObject } from "../messages/guard.ts";
import { IdTagInfo as IdTagInfoSchema } from "../messages/types.ts";
import { refusedPayload } from "../messages/validate.ts";

/**
 * The answer to a CALL, as far as it can be read.
 *
 * @param read - One of the functions below.
 * @returns What `read` makes of the answer, whether it obeys its schema or not.
 * @throws What the CALL failed with, when `read` makes nothing of that.
 */
export async function readable<T>(answer: Promise<unknown>, read: (payload: unknown) => T | undefined): Promise<T> {
  try {
    return read(await answer) as T; // What obeys its schema can be read.
  } catch (error) {
    const part = error instanceof PayloadError ? read(refusedPayload(error)) : undefined;
    if (part === undefined) throw error;
    return part;
  }
}

/** What a Charge Point goes by in BootNotification.conf. */
export interface ReadableBootNotificationConf {
  readonly status: Conf<"BootNotification">["status"];
  /** Whole seconds; 0, which leaves it to the Charge Point, where it cannot be read. */
  readonly interval: number;
  /** RFC 3339; `undefined` where it cannot be read. */
  readonly currentTime: string | undefined;
}

/**
 * Reads a BootNotification.conf.
 *
 * @returns `undefined` when its status cannot be read.
 * @spec OCPP 1.6 §4.2 [CORE-BOOT-03 … CORE-BOOT-06]
 */
export function readBootNotificationConf(payload: unknown): ReadableBootNotificationConf | undefined {
  const { status, interval, currentTime } = fieldsOf(payload);
  const { shape } = actions.BootNotification.conf._zod.def;
  if (!guardOf(shape.status)(status)) return undefined;
  const seconds = Math.round(numberIn(interval) ?? 0);
  return {
    status: status as Conf<"BootNotification">["status"],
    interval: Number.isSafeInteger(seconds) ? seconds : 0,
    currentTime: readDateTime(currentTime),
  };
}

/**
 * Reads a Heartbeat.conf: any answer to Heartbeat is a sign of life.
 *
 * @spec OCPP 1.6 §4.6 [CORE-HB-05]
 */
export function readHeartbeatConf(payload: unknown): { readonly currentTime: string | undefined } {
  return { currentTime: readDateTime(fieldsOf(payload).currentTime) };
}

/**
 * Reads a StartTransaction.conf: the id is what all further messages of the transaction need.
 *
 * @returns `undefined` when its transactionId cannot be read; `idTagInfo` is `undefined` when its status cannot.
 * @spec OCPP 1.6 §4.8 [CORE-START-03, CORE-TXQ-12]
 */
export function readStartTransactionConf(
  payload: unknown,
): { readonly transactionId: number; readonly idTagInfo: IdTagInfo | undefined } | undefined {
  const transactionId = numberIn(fieldsOf(payload).transactionId);
  if (!Number.isSafeInteger(transactionId)) return undefined;
  return { transactionId: transactionId as number, idTagInfo: readIdTagInfo(payload) };
}

/**
 * Reads the idTagInfo of Authorize.conf, StartTransaction.conf or StopTransaction.conf: an expiryDate or a parentIdTag
 * that cannot be read is left out.
 *
 * @returns `undefined` when there is none whose status can be read.
 * @spec OCPP 1.6 §7.27
 */
export function readIdTagInfo(payload: unknown): IdTagInfo | undefined {
  const { status, expiryDate, parentIdTag } = fieldsOf(fieldsOf(payload).idTagInfo);
  const { shape } = IdTagInfoSchema._zod.def;
  if (!guardOf(shape.status)(status)) return undefined;
  const until = readDateTime(expiryDate);
  return {
    status: status as IdTagInfo["status"],
    ...(until !== undefined && { expiryDate: until }),
    ...(parentIdTag !== undefined && guardOf(shape.parentIdTag)(parentIdTag) && { parentIdTag: parentIdTag as string }),
  };
}

const fieldsOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});

/** A finite number, or the one that a text of digits means. */
function numberIn(value: unknown): number | undefined {
  const number = typeof value === "string" && /^[+-]?\d{1,20}(\.\d{1,20})?$/.test(value) ? Number(value) : value;
  return Number.isFinite(number) ? (number as number) : undefined;
}
