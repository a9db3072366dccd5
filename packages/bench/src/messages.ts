/** The payloads that are measured with. */

const timestamp = "2026-01-01T00:00:00Z";
const phases = ["L1", "L2", "L3"] as const;

const onPhases = (
  measurand: "Current.Import" | "Voltage" | "Power.Active.Import",
  value: string,
  unit: "A" | "V" | "W",
) => phases.map((phase) => ({ value, context: "Sample.Periodic", measurand, phase, unit }) as const);

/** Ten values of one moment: energy, and of each phase current, voltage and power. */
const meterValue = {
  timestamp,
  sampledValue: [
    { value: "12345.6", context: "Sample.Periodic", measurand: "Energy.Active.Import.Register", unit: "Wh" } as const,
    ...onPhases("Current.Import", "16.1", "A"),
    ...onPhases("Voltage", "230.2", "V"),
    ...onPhases("Power.Active.Import", "3703", "W"),
  ],
};

/** A MeterValues of some kilobytes: about one for each moment. */
export const meterValues = (moments: number) => ({
  connectorId: 1,
  transactionId: 42,
  meterValue: Array.from({ length: moments }, () => meterValue),
});

/** A MeterValues of about 0.1 kB. */
export const smallMeterValues = { connectorId: 1, meterValue: [{ timestamp, sampledValue: [{ value: "12345" }] }] };
