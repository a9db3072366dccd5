import { type ConfigurationKeyOptions, configurationKeys } from "@ocppj/core";
import type { Hardware } from "../hardware/hardware.ts";
import { measurandOf } from "./meter-value.ts";

/** The keys that say what is measured. */
export const measurandKeys = [
  "MeterValuesSampledData",
  "MeterValuesAlignedData",
  "StopTxnSampledData",
  "StopTxnAlignedData",
] as const;

type ListOptions = Pick<ConfigurationKeyOptions<(typeof measurandKeys)[number]>, "accepts">;

/**
 * Which measurands the lists of a charger take: those that a meter of it has. A list is taken or refused as a whole.
 *
 * @returns By key: options of the configuration; a maximum length of each list besides.
 * @spec OCPP 1.6 §3.16.4 [CORE-MTR-04, CORE-MTR-09, CORE-MTR-18]
 */
export function measurandLists({
  connectors,
  mainMeasurands = [],
}: Hardware): Readonly<Record<string, ListOptions & { readonly value?: unknown }>> {
  const measured = new Set<string>([...mainMeasurands, ...connectors.flatMap(({ measurands = [] }) => measurands)]);
  const known = new Set<string>(measured);
  for (const name of measured) known.add(measurandOf(name).measurand);
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
