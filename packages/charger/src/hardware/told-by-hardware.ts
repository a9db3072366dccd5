import { check } from "@ocppj/core";
import type { ConnectorHardware, HardwareError, HardwareListener } from "./hardware.ts";
import type { Reading } from "./reading.ts";

/** A connector, or the charger. */
type Place = "connector" | "charger or connector";

/**
 * Who is told by the hardware, made safe: what makes no sense is a fault and nothing else, what is lent is copied, and
 * nothing is thrown back.
 *
 * @param isCurrent - Whether it is still listened to.
 */
export function toldByHardware(
  listener: HardwareListener,
  {
    connectors,
    fault,
    isCurrent,
  }: {
    readonly connectors: readonly ConnectorHardware[];
    readonly fault: (error: unknown) => void;
    readonly isCurrent: () => boolean;
  },
): HardwareListener {
  const told = (tell: () => void): void => {
    if (!isCurrent()) return;
    try {
      tell();
    } catch (error) {
      fault(error);
    }
  };

  function demand(id: unknown, place: Place = "connector"): number {
    const least = place === "connector" ? 1 : 0;
    if (Number.isInteger(id) && (id as number) >= least && (id as number) <= connectors.length) return id as number;
    throw new TypeError(
      `The hardware has told of connector ${String(id)}. There are ${least} to ${connectors.length}.`,
    );
  }

  return {
    plugged: (id) => told(() => listener.plugged(demand(id))),
    unplugged: (id, end = "charge-point") =>
      told(() => listener.unplugged(demand(id), oneOf("end", end, ["charge-point", "vehicle"]))),
    presented: (idTag, id) =>
      told(() => listener.presented(textOf("idTag", idTag), id === undefined ? undefined : demand(id))),
    pressed: (button, id) => told(() => listener.pressed(oneOf("button", button, ["start", "stop"]), demand(id))),
    wantsEnergy: (id, wants) => told(() => listener.wantsEnergy(demand(id), wants === true)),
    faulted: (id, error) => told(() => listener.faulted(demand(id, "charger or connector"), errorOf(error))),
    warned: (id, error) => told(() => listener.warned(demand(id, "charger or connector"), errorOf(error))),
    mended: (id, error) =>
      told(() => listener.mended(demand(id, "charger or connector"), error === undefined ? undefined : errorOf(error))),
    emergencyStop: (pressed) => told(() => listener.emergencyStop(pressed !== false)),
    measured: (id, reading) =>
      told(() => listener.measured(demand(id, "charger or connector"), readingOf(reading, fault))),
    tampered: (techInfo) =>
      told(() => listener.tampered(techInfo === undefined ? undefined : textOf("techInfo", techInfo))),
    limitReached: (id) => told(() => listener.limitReached(demand(id))),
  };
}

function oneOf<T>(name: string, value: T, values: readonly T[]): T {
  if (values.includes(value)) return value;
  throw new TypeError(`${name} is ${String(value)}. Give ${values.join(" or ")}.`);
}

function textOf(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${name} is ${typeof value}. Give a text.`);
}

/** A copy. @throws PayloadError StatusNotification cannot tell it. */
function errorOf(error: HardwareError | Pick<HardwareError, "errorCode" | "vendorErrorCode">): HardwareError {
  const {
    status: _,
    connectorId: __,
    ...told
  } = check("StatusNotification", "req", {
    ...error,
    connectorId: 0,
    status: "Faulted",
  });
  return told;
}

/** A copy, without what is no number. */
function readingOf(reading: Reading, fault: (error: unknown) => void): Reading {
  const entries = Object.entries(reading).filter(([, value]) => value !== undefined);
  const numbers = entries.filter(([, value]) => Number.isFinite(value));
  if (numbers.length < entries.length)
    fault(new TypeError("A reading has values that are no numbers. They are left out."));
  return Object.fromEntries(numbers) as Reading;
}
