import { type ConfigurationKeyOptions, configurationKeys } from "@ocppj/core";
import type { Hardware } from "../hardware/hardware.ts";
import { energyRegister, measurandOf } from "./meter-value.ts";

/** The keys that say what is measured. */
export const measurandKeys = [
  "MeterValuesSampledData",
  "MeterValuesAlignedData",
  "StopTxnSampledData",
  "StopTxnAlignedData",
] as const;

type ListOptions = Pick<ConfigurationKeyOptions<(typeof measurandKeys)[number]>, "accepts">;

/**
 * Which measurands the lists of a charger take: those that a meter of it has, with or without a phase. A list is taken or
 * refused as a whole.
 *
 * @returns By key: options of the configuration; a maximum length of each list besides.
 * @throws TypeError The hardware says that it measures what no message can tell.
 * @spec OCPP 1.6 §3.16.4, §9.1.17 [CORE-MTR-04, CORE-MTR-06, CORE-MTR-09, CORE-MTR-18]
 */
export function measurandLists({
  connectors,
  mainMeasurands = [],
}: Pick<Hardware, "connectors" | "mainMeasurands">): Readonly<
  Record<string, ListOptions & { readonly value?: unknown }>
> {
  const known = new Set<string>();
  for (const name of [...mainMeasurands, ...connectors.flatMap(({ measurands = [] }) => measurands)]) {
    const of = measurandOf(name);
    if (of === undefined) throw new TypeError(`The hardware measures "${name}". Give measurands of OCPP 1.6 only.`);
    known.add(name).add(of.measurand);
  }
  const accepts = (names: readonly string[]): boolean => names.every((name) => known.has(name));
  const maxLength = { value: Math.max(1, known.size) };
  const lists: Record<string, ListOptions & { readonly value?: unknown }> = {};
  for (const key of measurandKeys) {
    const initial = configurationKeys[key].default;
    // What no meter has cannot be wanted, not even by default.
    lists[key] = { accepts, ...(!accepts(initial) && { value: [] }) };
    lists[`${key}MaxLength`] = maxLength;
  }
  return lists;
}

/** Whoever asks for samples and says of what by nothing gets what a bill needs. [TCK-C070] */
export const sampledNames = (names: readonly string[]): readonly string[] =>
  names.length === 0 ? [energyRegister] : names;
