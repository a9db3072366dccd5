import type { MeterReading, Req } from "@ocppj/core";
import type { Measurand, Phase, Reading } from "../hardware/reading.ts";

type SampledValue = Req<"MeterValues">["meterValue"][number]["sampledValue"][number];
type Context = NonNullable<SampledValue["context"]>;
type Unit = NonNullable<SampledValue["unit"]>;

/** The register that a bill goes by. */
export const energyRegister = "Energy.Active.Import.Register";

/** In which unit a measurand is told; the others are told without one. [TYP-21] */
function unitOf(measurand: Measurand): Unit | undefined {
  if (measurand.startsWith("Energy.Active")) return "Wh";
  if (measurand.startsWith("Energy.Reactive")) return "varh";
  if (measurand.startsWith("Power.Reactive")) return "var";
  if (measurand === "Power.Factor") return undefined;
  if (measurand.startsWith("Power.")) return "W";
  if (measurand.startsWith("Current.")) return "A";
  const others: Partial<Record<Measurand, Unit>> = { Voltage: "V", SoC: "Percent", Temperature: "Celsius" };
  return others[measurand];
}

/** A number as a meter shows it: without exponent, energy whole. [CORE-START-06] */
function textOf(measurand: Measurand, value: number): string {
  const decimals = measurand.startsWith("Energy.") ? 0 : measurand === "Power.Factor" ? 3 : 1;
  return String(Number(value.toFixed(decimals)) + 0);
}

/** A name of a list of the configuration, taken apart. */
export function measurandOf(name: string): { readonly measurand: Measurand; readonly phase: Phase | undefined } {
  const [, measurand = name, phase] = /^(.*?)(?:\.((?:L[123]|N)(?:-(?:L[123]|N))?))?$/.exec(name) ?? [];
  return { measurand: measurand as Measurand, phase: phase as Phase | undefined };
}

/** What was measured, of what is wanted. */
export interface MeterValueOptions {
  readonly context: Context;
  /** 0 is the main meter. */
  readonly connectorId: number;
  readonly timestamp?: string | undefined;
}

/**
 * A reading as a message tells it: of each measurand that is wanted the value, and those of its phases; of a phase that is
 * wanted that one.
 *
 * @param names - As in the lists of the configuration.
 * @returns `undefined` where nothing of it was measured.
 * @spec OCPP 1.6 §3.16.3, §7.31, §7.33 [CORE-MTR-08, CORE-MTR-18, CORE-MV-10, CORE-MV-16]
 */
export function meterValueOf(
  reading: Reading,
  names: readonly string[],
  { connectorId, context, timestamp }: MeterValueOptions,
): MeterReading | undefined {
  const sampledValue: SampledValue[] = [];
  for (const [name, value] of Object.entries(reading)) {
    const { measurand, phase } = measurandOf(name);
    const isWanted = names.includes(name) || names.includes(measurand);
    if (!isWanted || !Number.isFinite(value)) continue;
    const unit = unitOf(measurand);
    const location = measurand === "SoC" ? "EV" : connectorId === 0 ? "Inlet" : undefined;
    sampledValue.push({
      value: textOf(measurand, value as number),
      context,
      measurand,
      ...(phase !== undefined && { phase }),
      ...(location !== undefined && { location }),
      ...(unit !== undefined && { unit }),
    });
  }
  if (sampledValue.length === 0) return undefined;
  return { sampledValue, ...(timestamp !== undefined && { timestamp }) };
}
