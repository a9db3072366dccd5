import { beforeEach, describe, expect, test } from "vitest";
import { ConnectionClosedError } from "../../src/index.ts";
import { entries, identity, Scene } from "./scene.ts";

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});

const boot = { chargePointVendor: "V", chargePointModel: "M" };
const stop = { transactionId: 1, meterStop: 1, timestamp: "2026-01-01T00:00:00Z" };
const lamp = { configuration: { vendorKeys: { Lamp: false } } };

describe("Provisioning", () => {
  test("makes one run at a time and one that follows it, however often a charger boots", async () => {
    let asked = 0;
    scene.begin({ wanted: () => ({ configuration: { vendorKeys: { Lamp: asked++ === 0 } } }) });
    const charger = scene.script({ lamp: () => "false", reset: () => "Accepted" });
    let reads = 0;
    charger.on("message", ({ direction, frame }) => {
      if (direction === "in" && frame.type === "CALL") reads += 1;
    });
    void charger.call("BootNotification", boot);
    await scene.settle(45);
    const outcomes = [scene.provisioning.provision(identity), scene.provisioning.provision(identity)];
    for (let count = 0; count < 100; count++) void charger.call("BootNotification", boot);
    await scene.settle();
    // The calls that were made on the way are of the run whose place the other ones took.
    const unchanged = { identity, configuration: [{ key: "Lamp", status: "Unchanged" }] };
    expect(await Promise.all(outcomes)).toEqual([unchanged, unchanged]);
    expect(scene.told.every((event) => "configuration" in event)).toBe(true);
    expect(reads).toBeLessThan(210);
    expect(scene.faults).toEqual([]);
  });

  test("asks what is wanted when the turn of a run has come", async () => {
    const answers: (() => void)[] = [];
    scene.begin({ wanted: () => new Promise((resolve) => answers.push(() => resolve(undefined))) });
    const charger = scene.script({ lamp: () => "true", reset: () => "Accepted" });
    for (let count = 0; count < 50; count++) void charger.call("BootNotification", boot);
    await scene.settle(5000);
    expect(answers).toHaveLength(1);
    answers[0]?.();
    await scene.settle(0);
    expect(answers).toHaveLength(2);
    answers[1]?.();
    await scene.settle(0);
    expect(scene.told).toEqual([{ identity }]);
  });

  test("leaves out a step in which the connection was lost twice, until it is asked for or another one is wanted", async () => {
    scene.begin();
    scene.wanted = { localAuthList: entries };
    let crashes = 0;
    let isMended = false;
    const crash = async (): Promise<void> => {
      scene.drop();
      const charger = scene.script({ lamp: () => "true", reset: () => "Accepted" });
      charger.handle("GetLocalListVersion", () => ({ listVersion: 1 }));
      charger.handle("SendLocalList", () => {
        crashes += 1;
        if (!isMended) scene.drop();
        return { status: "Accepted" };
      });
      void charger.call("BootNotification", boot).catch(() => {});
      await scene.settle(5000);
    };
    for (let count = 0; count < 30; count++) await crash();
    expect(crashes).toBe(2);
    expect(scene.told.slice(0, 2)).toMatchObject([
      { error: expect.any(ConnectionClosedError) },
      { error: expect.any(ConnectionClosedError) },
    ]);
    expect(scene.told.at(-1)).toMatchObject({ error: { message: expect.stringMatching(/lost twice.*left out/) } });
    scene.wanted = { localAuthList: entries.slice(1) };
    for (let count = 0; count < 30; count++) await crash();
    expect(crashes).toBe(4);
    isMended = true;
    await crash();
    const run = scene.provisioning.provision(identity);
    await scene.settle();
    expect(await run).toMatchObject({ localAuthList: { status: "Ignored" } });
  });

  test("makes a reset that was postponed when there is another program, where the owner keeps why [CORE-CC-03]", async () => {
    const kept = new Map<string, readonly string[]>();
    let value = "true";
    for (const program of [1, 2]) {
      const { resets } = scene;
      scene = new Scene();
      scene.resets = resets;
      scene.wanted = lamp;
      scene.charging = 1;
      scene.begin({ requiredResets: kept });
      const charger = scene.script({ lamp: () => value, reset: () => "Accepted" }, (req) => {
        value = req.value; // It shows what it does not have yet.
      });
      if (program === 1) await scene.bootAs(charger);
      expect(kept.get(identity)).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
      if (program === 1) continue;
      expect(scene.resets).toBe(0);
      void charger.call("StopTransaction", stop);
      await scene.settle();
      expect(scene.told).toEqual([{ identity, reset: "Accepted" }]);
      expect(scene.resets).toBe(1);
      await scene.bootAs(charger);
      expect(kept.get(identity)).toEqual([]);
    }
  });
});
