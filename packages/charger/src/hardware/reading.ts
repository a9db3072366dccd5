import type { Req } from "@ocppj/core";

type SampledValue = Req<"MeterValues">["meterValue"][number]["sampledValue"][number];

/** What is measured, under the names of the documents. */
export type Measurand = NonNullable<SampledValue["measurand"]>;

/** The phase, or the phases, that a value is of. */
export type Phase = NonNullable<SampledValue["phase"]>;

/**
 * What a meter shows at one moment, by measurand, or by measurand and phase as in the lists of the configuration:
 * `{ "Energy.Active.Import.Register": 1234.5, "Current.Import.L1": 16 }`.
 *
 * Energy in Wh and varh, power in W, var and VA, current in A, voltage in V, temperature in °C, SoC and others in the unit
 * of the documents. Registers are those of the meter, and never fall.
 */
export type Reading = { readonly [Name in Measurand | `${Measurand}.${Phase}`]?: number | undefined };
