import { check } from "@ocppj/core";
import type { ConnectorHardware, HardwareError, HardwareListener } from "./hardware.ts";
import type { Reading } from "./reading.ts";

/** A connector, or the charger. */
type Place = "connector" | "charger or connector";

/** What {@link toldByHardware} needs to know. */
export interface ToldOptions {
  readonly connectors: readonly ConnectorHardware[];
  readonly fault: (error: unknown) => void;
  /** Whether it is still listened to. */
  readonly isCurrent: () => boolean;
  /** Whether a meter may show that. */
  readonly isShown: (name: string, value: unknown) => boolean;
}

/**
 * Who is told by the hardware, made safe: what makes no sense is a fault and nothing else, what is lent is copied, and
 * nothing is thrown back.
 */
export function toldByHardware(
  listener: HardwareListener,
  { connectors, fault, isCurrent, isShown }: ToldOptions,
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
      `The hardware has told of connector ${typeof id === "string" ? `"${id}"` : String(id)}. There are ${least} to ${connectors.length}.`,
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
      told(() => listener.measured(demand(id, "charger or connector"), readingOf(reading, isShown, fault))),
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
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`${name} is ${value === "" ? "empty" : typeof value}. Give a text.`);
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
function readingOf(reading: unknown, isShown: ToldOptions["isShown"], fault: ToldOptions["fault"]): Reading {
  if (typeof reading !== "object" || reading === null) {
    throw new TypeError(`A reading is ${typeof reading}. Give an object of numbers by measurand.`);
  }
  const entries = Object.entries(reading).filter(([, value]) => value !== undefined);
  const told = entries.filter(([name, value]) => isShown(name, value));
  if (told.length < entries.length) {
    const wrong = entries.filter((each) => !told.includes(each)).map(([name, value]) => `${name}: ${String(value)}`);
    fault(new TypeError(`A reading has ${wrong.join(", ")}, which no meter shows. That is left out.`));
  }
  return Object.fromEntries(told) as Reading;
}
