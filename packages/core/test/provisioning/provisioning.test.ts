import { FakeClock, transportPair } from "@ocppj/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  CentralSystem,
  ChargePoint,
  Configuration,
  Connection,
  ConnectionClosedError,
  type KnownIdTag,
  LocalAuthList,
  memoryStore,
  type Provisioned,
  Provisioning,
  type ProvisioningFailure,
  type ProvisioningOptions,
  type SentLocalAuthList,
  type WantedProvisions,
} from "../../src/index.ts";

const identity = "CP001";
const entries: readonly KnownIdTag[] = Array.from({ length: 7 }, (_, at) => ({
  idTag: `Card${at}`,
  idTagInfo: { status: "Accepted" },
}));

/** A Central System that provisions, and our own Charge Point, which restarts when it is reset. */
class Scene {
  readonly clock = new FakeClock();
  readonly store = memoryStore();
  readonly told: (Provisioned | ProvisioningFailure)[] = [];
  readonly faults: unknown[] = [];
  readonly lists = new Map<string, SentLocalAuthList>();
  readonly centralSystem = new CentralSystem({ clock: this.clock });
  wanted: WantedProvisions = { configuration: { keys: { HeartbeatInterval: 120 } }, localAuthList: entries };
  charging = 0;
  resets = 0;
  chargePoint: ChargePoint | undefined;
  configuration!: Configuration<{ Lamp: { type: "boolean"; access: "RW"; value: true } }>;
  list!: LocalAuthList;
  links = 0;
  drop = (): void => {};
  provisioning!: Provisioning;

  begin(options: Partial<ProvisioningOptions> = {}): void {
    const { centralSystem } = this;
    centralSystem.handle("BootNotification", () => ({ status: "Accepted", interval: 300, currentTime: this.time() }));
    centralSystem.handle("Heartbeat", () => ({ currentTime: this.time() }));
    centralSystem.handle("StatusNotification", () => ({}));
    centralSystem.handle("StopTransaction", () => {
      this.charging -= 1;
      return {};
    });
    centralSystem.on("fault", ({ error }) => this.faults.push(error));
    this.provisioning = new Provisioning({
      centralSystem,
      wanted: () => this.wanted,
      mayReset: () => this.charging === 0,
      lists: this.lists,
      told: (event) => this.told.push(event),
      ...options,
    });
  }

  time(): string {
    return new Date(this.clock.now()).toISOString();
  }

  /** Our Charge Point boots; `Lamp` takes effect after a reboot only. */
  async boot(): Promise<void> {
    const { centralSystem, clock, store } = this;
    const report = (error: Error): void => void this.faults.push(error);
    await this.chargePoint?.stop();
    this.configuration = await Configuration.load({
      store,
      report,
      keys: {
        NumberOfConnectors: { value: 1 },
        GetConfigurationMaxKeys: { value: 2 },
        SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement"] },
        LocalAuthListMaxLength: { value: 10 },
        SendLocalListMaxLength: { value: 3 },
      },
      vendorKeys: { Lamp: { type: "boolean", access: "RW", value: true } },
      approve: ({ key }) => ({ status: key === "Lamp" ? "RebootRequired" : "Accepted" }),
    });
    this.list = await LocalAuthList.load(store, { report, sendLocalListMaxLength: 3, localAuthListMaxLength: 10 });
    this.chargePoint = new ChargePoint({
      identity,
      url: "ws://central.example.com/ocpp",
      boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
      clock,
      random: () => 0,
      configuration: this.configuration,
      localAuthList: this.list,
      connect: async () => {
        this.links += 1;
        const link = transportPair(clock, { latencyMs: 10 });
        this.drop = () => link.chargePoint.drop();
        centralSystem.accept(link.centralSystem, identity);
        return link.chargePoint;
      },
    });
    this.chargePoint.handle("Reset", (_, { answered }) => {
      void answered.then(() => this.boot());
      return { status: "Accepted" };
    });
    await this.chargePoint.start();
  }

  async settle(ms = 60_000): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Another charger, of which only the other end of the transport is there. */
  script(answers: { reset: () => "Accepted" | "Rejected"; lamp: () => string }): Connection<"ChargePoint"> {
    const link = transportPair(this.clock, { latencyMs: 10 });
    this.drop = () => link.chargePoint.drop();
    this.centralSystem.accept(link.centralSystem, identity);
    const charger = new Connection(link.chargePoint, { role: "ChargePoint", identity, clock: this.clock });
    charger.handle("GetConfiguration", ({ key = [] }) => ({
      configurationKey: key
        .filter((name) => name === "Lamp")
        .map((key) => ({ key, readonly: false, value: answers.lamp() })),
      unknownKey: key.filter((name) => name !== "Lamp"),
    }));
    charger.handle("ChangeConfiguration", () => ({ status: "RebootRequired" }));
    charger.handle("Reset", () => {
      this.resets += 1;
      return { status: answers.reset() };
    });
    return charger;
  }

  async bootAs(charger: Connection<"ChargePoint">): Promise<void> {
    void charger.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
    await this.settle();
  }
}

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

  test.each(["wanted", "mayReset", "lists"] as const)("tells what %s throws, and begins anew", async (part) => {
    const fail = (): never => {
      throw new Error("The database is locked.");
    };
    scene.begin({ [part]: part === "lists" ? { get: fail, set: fail } : fail });
    scene.wanted = part === "lists" ? { localAuthList: [] } : lamp;
    await scene.bootAs(scene.script({ lamp: () => "true", reset: () => "Accepted" }));
    expect(scene.told).toEqual([{ identity, error: new Error("The database is locked.") }]);
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
