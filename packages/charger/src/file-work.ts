import type { ChargePoint, OwnSignal } from "@ocppj/core";
import type { Desk } from "./desk.ts";

/** What a transfer ends with; where it fails, which is told, that is what `otherwise` makes of it. */
export async function attempted<T, U>(
  desk: Pick<Desk, "fault">,
  signal: OwnSignal,
  act: () => Promise<T>,
  otherwise: (error: unknown) => U,
): Promise<T | U> {
  try {
    return await act();
  } catch (error) {
    if (!signal.aborted) desk.fault(error);
    return otherwise(error);
  }
}

/** Has a status delivered, whenever that can be. [J-216] */
export const delivered: (desk: Pick<Desk, "chargePoint" | "fault">) => ChargePoint["deliver"] =
  ({ chargePoint, fault }) =>
  (action, req) => {
    try {
      chargePoint.deliver(action, req);
    } catch (error) {
      fault(error); // There is no room, or it was stopped.
    }
  };
