import { beforeEach, describe, expect, test } from "vitest";
import { ConnectionClosedError, Provisioning } from "../../src/index.ts";
import { entries, identity, Scene } from "./scene.ts";

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});

const stop = { transactionId: 1, meterStop: 1, timestamp: "2026-01-01T00:00:00Z" };
const lamp = { configuration: { vendorKeys: { Lamp: false } } };

describe("Provisioning", () => {
  test("gives our own Charge Point what is wanted after its boot, and nothing more the next time", async () => {
    scene.begin();
    await scene.boot();
    await scene.settle();
    expect(scene.told).toEqual([
      {
        identity,
        configuration: [{ key: "HeartbeatInterval", status: "Accepted" }],
        localAuthList: { status: "Accepted", list: { listVersion: 3, entries } },
      },
    ]);
    expect(scene.configuration.get("HeartbeatInterval")).toBe(120);
    expect(scene.list.idTags).toEqual(entries.map(({ idTag }) => idTag));
    await scene.boot();
    await scene.settle();
    // BootNotification.conf sets the interval of the Heartbeats, too.
    expect(scene.told[1]).toMatchObject({ localAuthList: { status: "Unchanged" } });
    scene.wanted = { localAuthList: entries.slice(1) };
    const run = scene.provisioning.provision(identity);
    await scene.settle();
    expect(await run).toMatchObject({ localAuthList: { status: "Accepted", list: { listVersion: 4 } } });
    expect(scene.list.has("Card0")).toBe(false);
    expect(scene.faults).toEqual([]);
  });

  test("resets when no transaction runs any more, and finds everything as it should be [CORE-CC-03]", async () => {
    scene.begin();
    scene.wanted = lamp;
    scene.charging = 1;
    await scene.boot();
    await scene.settle();
    expect(scene.told).toEqual([
      { identity, configuration: [{ key: "Lamp", status: "RebootRequired" }], reset: "Postponed" },
    ]);
    expect(scene.links).toBe(1);
    scene.charging = 0;
    await scene.boot();
    await scene.settle();
    expect(scene.configuration.get("Lamp")).toBe(false);
    expect(scene.told.slice(1)).toEqual([{ identity, configuration: [{ key: "Lamp", status: "Unchanged" }] }]);
    scene.wanted = { configuration: { vendorKeys: { Lamp: true } } };
    const run = scene.provisioning.provision(identity);
    await scene.settle();
    expect(await run).toMatchObject({ reset: "Accepted" });
    expect(scene.configuration.get("Lamp")).toBe(true);
    expect(scene.told.slice(2)).toEqual([{ identity, configuration: [{ key: "Lamp", status: "Unchanged" }] }]);
    expect(scene.faults).toEqual([]);
  });

  test("asks again after each StopTransaction whether it may reset", async () => {
    scene.begin();
    scene.wanted = lamp;
    scene.charging = 2;
    const charger = scene.script({ lamp: () => "true", reset: () => "Accepted" });
    await scene.bootAs(charger);
    void charger.call("StopTransaction", stop);
    await scene.settle();
    expect(scene.resets).toBe(0);
    void charger.call("StopTransaction", stop);
    await scene.settle();
    void charger.call("StopTransaction", stop);
    await scene.settle();
    expect(scene.resets).toBe(1);
    expect(scene.told.map((event) => "reset" in event && event.reset)).toEqual(["Postponed", "Postponed", "Accepted"]);
  });

  test("resets once for the same keys, however often the charger boots", async () => {
    scene.begin();
    scene.wanted = lamp;
    const charger = scene.script({ lamp: () => "true", reset: () => "Accepted" });
    await scene.bootAs(charger);
    await scene.bootAs(charger);
    await scene.bootAs(charger);
    expect(scene.resets).toBe(1);
    expect(scene.told.map((event) => "reset" in event && event.reset)).toEqual(["Accepted", "Futile", "Futile"]);
  });

  test("resets again for the same keys once they were as they should be", async () => {
    scene.begin();
    scene.wanted = lamp;
    let value = "true";
    const charger = scene.script({ lamp: () => value, reset: () => "Accepted" });
    await scene.bootAs(charger);
    value = "false";
    await scene.bootAs(charger);
    value = "true";
    await scene.bootAs(charger);
    expect(scene.resets).toBe(2);
  });

  test("tries again after the next StopTransaction when a reset was rejected", async () => {
    scene.begin();
    scene.wanted = lamp;
    const answers: ("Accepted" | "Rejected")[] = ["Rejected", "Accepted"];
    const charger = scene.script({ lamp: () => "true", reset: () => answers.shift() ?? "Accepted" });
    await scene.bootAs(charger);
    void charger.call("StopTransaction", stop);
    scene.charging = 1;
    await scene.settle();
    expect(scene.told.map((event) => "reset" in event && event.reset)).toEqual(["Rejected", "Accepted"]);
  });

  test("never resets unless it is told when it may", async () => {
    scene = new Scene();
    scene.centralSystem.handle("BootNotification", () => ({
      status: "Accepted",
      interval: 300,
      currentTime: scene.time(),
    }));
    const told: unknown[] = [];
    new Provisioning({ centralSystem: scene.centralSystem, wanted: () => lamp, told: (event) => told.push(event) });
    await scene.bootAs(scene.script({ lamp: () => "true", reset: () => "Accepted" }));
    expect(told).toMatchObject([{ reset: "Postponed" }]);
  });

  test("begins anew on the next connection when one was lost on the way", async () => {
    scene.begin();
    scene.wanted = { configuration: { vendorKeys: { Lamp: true } } };
    const first = scene.script({ lamp: () => "true", reset: () => "Accepted" });
    void first.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" }).catch(() => {});
    await scene.settle(15);
    scene.drop();
    await scene.settle();
    scene.script({ lamp: () => "true", reset: () => "Accepted" });
    await scene.settle();
    scene.drop();
    scene.script({ lamp: () => "true", reset: () => "Accepted" });
    await scene.settle();
    expect(scene.told).toEqual([
      { identity, error: expect.any(ConnectionClosedError) },
      { identity, configuration: [{ key: "Lamp", status: "Unchanged" }] },
    ]);
  });

  test("tells a fault when `told` throws", async () => {
    const error = new Error("out of paper");
    scene.begin({
      told: () => {
        throw error;
      },
    });
    scene.wanted = {};
    await scene.bootAs(scene.script({ lamp: () => "true", reset: () => "Accepted" }));
    expect(scene.faults).toEqual([error]);
  });

  test("refuses a run for a charger that is not there, and options that are none", async () => {
    scene.begin();
    await expect(scene.provisioning.provision("CP002")).rejects.toMatchObject({ sent: false });
    expect(() => new Provisioning({ centralSystem: scene.centralSystem } as never)).toThrow(/wanted/);
  });
});
