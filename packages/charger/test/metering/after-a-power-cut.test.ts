import { expect, test } from "vitest";
import { charging } from "../certification/ready.ts";
import { second } from "../charger-site.ts";

test("what was told before a power cut does not fall after it, though the meter begins anew [CORE-MTR-15] [CORE-STOP-17]", async () => {
  const site = await charging({ configuration: { MeterValueSampleInterval: 10 } });
  site.hardware.measure(1, 1500);
  await site.after(() => {}, 10 * second);
  site.hardware.registers.set(1, 0);
  await site.powerCut();
  expect(site.payloads("StopTransaction")).toMatchObject([{ reason: "PowerLoss", meterStop: 1500 }]);
});
