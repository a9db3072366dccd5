import type { Req } from "../messages/actions.ts";

type SampledValue = Req<"MeterValues">["meterValue"][number]["sampledValue"][number];

/**
 * What an energy register showed, in Wh: more than `low` and less than `high`. Nobody knows better, because it was rounded,
 * or its last digits were cut off, before it was sent.
 */
export interface Register {
  readonly low: number;
  readonly high: number;
}

/** A register in whole Wh, as StartTransaction and StopTransaction tell it. */
export const registerAt = (wh: number): Register => ({ low: wh - 1, high: wh + 1 });

const decimalNumber = /^-?\d+(?:\.(\d+))?$/;

/**
 * What a sampled value says of the register that a transaction is billed by: active import, at the outlet, all phases
 * together. `undefined` when it is about something else, or when it cannot be read.
 *
 * @spec OCPP 1.6 §7.43 [CORE-MV-11, CORE-MV-15, CORE-MTR-17]
 */
export function billedRegister(sampledValue: SampledValue): Register | undefined {
  const { format = "Raw", location = "Outlet", phase, unit = "Wh", value } = sampledValue;
  const { measurand = "Energy.Active.Import.Register" } = sampledValue;
  if (measurand !== "Energy.Active.Import.Register" || location !== "Outlet" || phase !== undefined) return undefined;
  if (format !== "Raw" || (unit !== "Wh" && unit !== "kWh")) return undefined;
  const text = value.trim();
  const digits = decimalNumber.exec(text);
  if (digits === null) return undefined;
  const scale = unit === "kWh" ? 1000 : 1;
  const wh = Number(text) * scale;
  if (!Number.isFinite(wh)) return undefined;
  // "5.3" in kWh says nothing below 100 Wh. Below 1 Wh is noise, however many digits there are.
  const step = Math.max(1, scale / 10 ** (digits[1] ?? "").length);
  return { low: wh - step, high: wh + step };
}
