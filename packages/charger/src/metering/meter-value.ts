import type { MeterReading, Req } from "@ocppj/core";
import type { Measurand, Phase, Reading } from "../hardware/reading.ts";

type SampledValue = Req<"MeterValues">["meterValue"][number]["sampledValue"][number];
type Context = NonNullable<SampledValue["context"]>;
type Unit = NonNullable<SampledValue["unit"]>;

/** The register that a bill goes by. */
export const energyRegister = "Energy.Active.Import.Register";

/** In which unit each measurand is told; without one those that have none. [TYP-21] */
const units: Readonly<Record<Measurand, Unit | undefined>> = {
  "Current.Export": "A",
  "Current.Import": "A",
  "Current.Offered": "A",
  "Energy.Active.Export.Register": "Wh",
  "Energy.Active.Import.Register": "Wh",
  "Energy.Reactive.Export.Register": "varh",
  "Energy.Reactive.Import.Register": "varh",
  "Energy.Active.Export.Interval": "Wh",
  "Energy.Active.Import.Interval": "Wh",
  "Energy.Reactive.Export.Interval": "varh",
  "Energy.Reactive.Import.Interval": "varh",
  Frequency: undefined,
  "Power.Active.Export": "W",
  "Power.Active.Import": "W",
  "Power.Factor": undefined,
  "Power.Offered": "W",
  "Power.Reactive.Export": "var",
  "Power.Reactive.Import": "var",
  RPM: undefined,
  SoC: "Percent",
  Temperature: "Celsius",
  Voltage: "V",
};

/** How many decimals are told, where it is not one. */
const decimals: Partial<Readonly<Record<Measurand, number>>> = { Frequency: 2, "Power.Factor": 3 };

/** More than anything that a charger measures, so it is not measured. Beyond 1e21 JavaScript writes exponents. */
const most = 1e12;

/** What a meter may show: a number, and none that is absurd. */
export const isMeasured = (value: unknown): value is number =>
  typeof value === "number" && value >= -most && value <= most;

/** A number as a meter shows it: without exponent, energy whole like meterStart and meterStop. [CORE-START-06] */
function textOf(measurand: Measurand, value: number): string {
  // As meterStart is rounded, so that all that is told of a register agrees.
  if (measurand.startsWith("Energy.")) return String(Math.round(value));
  return String(Number(value.toFixed(decimals[measurand] ?? 1)));
}

const named = new RegExp(
  `^(${Object.keys(units).join("|").replaceAll(".", "\\.")})(?:\\.(L[123]-N|L1-L2|L2-L3|L3-L1|L[123]|N))?$`,
);

/** A name of a list of the configuration, taken apart; `undefined` if it is none. [CORE-MTR-18] */
export function measurandOf(
  name: string,
): { readonly measurand: Measurand; readonly phase: Phase | undefined } | undefined {
  const [, measurand, phase] = named.exec(name) ?? [];
  return measurand === undefined ? undefined : { measurand: measurand as Measurand, phase: phase as Phase | undefined };
}

/** Whether a meter may show that, so that a message can tell it. */
export const isShown = (name: string, value: unknown): boolean => measurandOf(name) !== undefined && isMeasured(value);

/** What a message has told of the register that a bill goes by. */
export const toldEnergy = ({ sampledValue }: MeterReading): number | undefined => {
  const told = sampledValue.find(({ measurand, phase }) => measurand === energyRegister && phase === undefined);
  return told && Number(told.value);
};

/** What was measured, of what is wanted. */
export interface MeterValueOptions {
  readonly context: Context;
  /** 0 is the main meter. */
  readonly connectorId: number;
  readonly timestamp?: string | undefined;
}

/**
 * A reading as a message tells it: of each measurand that is wanted the overall value and those of all its phases; of a
 * measurand with a phase that one alone. The state of charge is the vehicle's, connector 0 is at the inlet, and the rest at
 * the outlet, which is not said. The context always is.
 *
 * @param names - As in the lists of the configuration.
 * @returns In the order of the reading, each once; `undefined` where nothing of what is wanted was measured.
 * @spec OCPP 1.6 §3.16.3, §7.31, §7.33 [CORE-MTR-08, CORE-MTR-18, CORE-MV-10, CORE-MV-16]
 */
export function meterValueOf(
  reading: Reading,
  names: readonly string[],
  { connectorId, context, timestamp }: MeterValueOptions,
): MeterReading | undefined {
  const sampledValue: SampledValue[] = [];
  for (const [name, value] of Object.entries(reading)) {
    const of = measurandOf(name);
    if (of === undefined || !isMeasured(value)) continue;
    const { measurand, phase } = of;
    if (!names.includes(name) && !names.includes(measurand)) continue;
    const unit = units[measurand];
    const location = measurand === "SoC" ? "EV" : connectorId === 0 ? "Inlet" : undefined;
    sampledValue.push({
      value: textOf(measurand, value),
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
