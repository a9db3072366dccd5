import { FakeClock, transportPair } from "@ocppj/testing";
import {
  CentralSystem,
  ChargePoint,
  Configuration,
  Connection,
  type KnownIdTag,
  LocalAuthList,
  memoryStore,
  type Provisioned,
  Provisioning,
  type ProvisioningFailure,
  type ProvisioningOptions,
  type Req,
  type SentLocalAuthList,
  type WantedProvisions,
} from "../../src/index.ts";

export const identity = "CP001";
export const entries: readonly KnownIdTag[] = Array.from({ length: 7 }, (_, at) => ({
  idTag: `Card${at}`,
  idTagInfo: { status: "Accepted" },
}));

/** A Central System that provisions, and our own Charge Point, which restarts when it is reset. */
export class Scene {
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
  /** @param change - Hears of each change, which requires a reboot. */
  script(
    answers: { reset: () => "Accepted" | "Rejected" | Promise<never>; lamp: () => string },
    change: (req: Req<"ChangeConfiguration">) => void = () => {},
  ): Connection<"ChargePoint"> {
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
    charger.handle("ChangeConfiguration", (req) => {
      change(req);
      return { status: "RebootRequired" };
    });
    charger.handle("Reset", async () => {
      this.resets += 1;
      return { status: await answers.reset() };
    });
    return charger;
  }

  async bootAs(charger: Connection<"ChargePoint">): Promise<void> {
    void charger.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
    await this.settle();
  }
}
