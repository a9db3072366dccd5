import { CentralSystem, type LimitChange, pauseFrom } from "@ocppj/core";
import { FakeClock, transportPair } from "@ocppj/testing";
import { expect, test } from "vitest";
import { charger, limit, refusal, text } from "./smart-charging.ts";

test("What the page on smart charging says of limits and reasons", () => {
  const until = Date.parse("2026-05-01T18:00:00+02:00");
  expect(limit).toEqual({ limit: 6, unit: "A", until });
  expect(text).toBe(
    "6 A until 2026-05-01T16:00:00.000Z: profile 12 (TxDefaultProfile, level 1, 6 A); " +
      "over profile 3 (TxDefaultProfile, level 0, Daily, 10 A)",
  );
  expect(refusal).toMatchObject({ rule: "stack-level", message: expect.stringContaining("highest is 3") });
});

test("A charger obeys what it is told, and pauses below 6 A", async () => {
  const clock = new FakeClock();
  const centralSystem = new CentralSystem({ clock });
  centralSystem.handle("BootNotification", () => ({
    status: "Accepted",
    interval: 300,
    currentTime: new Date(clock.now()).toISOString(),
  }));
  const connect = async ({ identity }: { identity: string }) => {
    const pair = transportPair(clock);
    centralSystem.accept(pair.centralSystem, identity);
    return pair.chargePoint;
  };
  const offered: [number, number][] = [];
  const boot = { chargePointVendor: "V", chargePointModel: "M" };
  const { chargePoint, smartCharging } = await charger(
    { identity: "CP001", url: "ws://central.example.com", connect, boot, clock },
    (connectorId, amperes) => offered.push([connectorId, amperes]),
  );
  const limits: LimitChange[] = [];
  chargePoint.on("limit", (change) => limits.push(change));
  void chargePoint.start();
  await clock.advance(1000);
  expect(offered).toEqual([
    [1, 32],
    [2, 32],
  ]);
  const csChargingProfiles = pauseFrom({ chargingProfileId: 1, from: clock.now() });
  const answer = centralSystem.get("CP001")?.call("SetChargingProfile", { connectorId: 2, csChargingProfiles });
  await clock.advance(1000);
  expect(await answer).toEqual({ status: "Accepted" });
  expect(offered.at(-1)).toEqual([2, 0]);
  expect(limits.at(-1)).toMatchObject({ connectorId: 0, limit: 32 });
  expect(smartCharging.profiles.installed).toHaveLength(1);
  await chargePoint.stop();
});
