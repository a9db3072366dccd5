import { FakeClock, type TransportPair, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CentralSystem,
  ChargePoint,
  Configuration,
  type ConfigurationVerdict,
  type ConnectTarget,
  type Credential,
  type CredentialChange,
  type CredentialRecord,
  HandshakeError,
  KnownCredentials,
  memoryStore,
  OwnCredentials,
  type PasswordHash,
  type RecordStore,
  type Transport,
} from "../../src/index.ts";

const identity = "CP001";
const second = 1000;
const minute = 60 * second;
const keyOf = (number: number): string => number.toString(16).padStart(40, "0");
const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");

const openHash: PasswordHash = {
  seal: (password) => Buffer.from(password).toString("hex"),
  verify: (password, sealed) => sealed === Buffer.from(password).toString("hex"),
};

/** The program that runs at one end: a crash ends it, and with it every write and every handshake. */
class Process {
  alive = true;
  died!: () => void;
  readonly death = new Promise<void>((resolve) => {
    this.died = resolve;
  });

  kill(): void {
    this.alive = false;
    this.died();
  }
}

/**
 * A Charge Point and a Central System that do not know what the other end has heard, and the laws: what they hold against
 * each other is only what the documents promise.
 */
class World {
  readonly clock = new FakeClock();
  /** Whether the Charge Point knows but the credentials of its configuration, and never falls back. */
  readonly isSimple: boolean;
  // What survives.
  readonly records = new Map<string, CredentialRecord>();
  readonly registrations = new Map([[identity, "Accepted" as const]]);
  readonly flash = memoryStore();
  // What a test does to them.
  networkUp = true;
  /** How many of the next handshakes succeed at the Central System, and fail at the Charge Point. */
  losesUpgrades = 0;
  /** Which profiles can be reached. */
  openProfiles: ReadonlySet<number> = new Set([0, 1, 2, 3]);
  verdict: ConfigurationVerdict["status"] = "Accepted";
  thinkingMs = 0;
  // What the laws remember.
  keys = 1;
  /** Keys that an Accepted has made worthless. */
  readonly dead = new Set<string>();
  highestProfile = 1;
  /** The highest profile in which a handshake has succeeded at either end. */
  highestOpened = 1;
  connections = 0;
  /** What was seen where an exception would only look like a refused handshake. */
  readonly violations: string[] = [];
  link: TransportPair | undefined;
  central!: { process: Process; system: CentralSystem; credentials: KnownCredentials };
  charger: { process: Process; chargePoint: ChargePoint } | undefined;

  constructor(isSimple = false) {
    this.isSimple = isSimple;
  }

  async begin(): Promise<void> {
    this.startCentralSystem();
    this.records.set(identity, { authorizationKey: keyOf(1), securityProfile: 1 });
    await this.startCharger();
    await this.clock.advance(0);
  }

  startCentralSystem(): void {
    const { clock, registrations, records } = this;
    const process = new Process();
    const system = new CentralSystem({ clock, registrations });
    const store = {
      get: (id: string) => records.get(id),
      // The write takes a while, in which a crash may come.
      set: (id: string, record: CredentialRecord) =>
        new Promise<void>((resolve) => {
          clock.wakeAt(clock.now() + 1, () => {
            if (!process.alive) return;
            records.set(id, record);
            resolve();
          });
        }),
    };
    const credentials = new KnownCredentials({ centralSystem: system, store, passwordHash: openHash });
    system.handle("BootNotification", () => ({ status: "Accepted", interval: 120, currentTime: this.time() }));
    system.handle("Heartbeat", () => ({ currentTime: this.time() }));
    system.on("fault", ({ error }) => this.violations.push(`fault: ${error}`));
    this.central = { process, system, credentials };
  }

  time(): string {
    return new Date(this.clock.now()).toISOString();
  }

  async startCharger(): Promise<void> {
    const process = new Process();
    const report = (error: Error): void => void this.violations.push(error.message);
    const ifAlive = <R>(operation: () => Promise<R>): Promise<R> =>
      process.alive ? operation() : new Promise<R>(() => {});
    const store: RecordStore = {
      load: (prefix) => this.flash.load(prefix),
      put: (key, value) => ifAlive(() => this.flash.put(key, value)),
      delete: (key) => ifAlive(() => this.flash.delete(key)),
      close: () => Promise.resolve(),
    };
    const configuration = await Configuration.load({
      store,
      report,
      keys: {
        NumberOfConnectors: { value: 1 },
        SupportedFeatureProfiles: { value: ["Core"] },
        AuthorizationKey: { value: keyOf(1) },
        SecurityProfile: { value: 1 },
      },
      approve: async () => {
        const { thinkingMs, verdict } = this;
        if (thinkingMs > 0) {
          await new Promise<void>((resolve) => this.clock.wakeAt(this.clock.now() + thinkingMs, resolve));
        }
        return { status: verdict };
      },
    });
    const credentials = await OwnCredentials.load({ configuration, store, report });
    const chargePoint = new ChargePoint({
      identity,
      url: "wss://central.example.com/ocpp",
      boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
      clock: this.clock,
      random: () => 0,
      configuration,
      store,
      connect: this.isSimple
        ? (target) => {
            const authorizationKey = configuration.get("AuthorizationKey") ?? "";
            return this.handshake(process, { authorizationKey, securityProfile: 1 }, target);
          }
        : credentials.connect((credential) => (target) => this.handshake(process, credential, target)),
    });
    this.charger = { process, chargePoint };
    await chargePoint.start();
  }

  async handshake(process: Process, credential: Credential, { url }: ConnectTarget): Promise<Transport> {
    const { authorizationKey, securityProfile } = credential;
    const fail = (reason: "network" | "unauthorized"): never => {
      throw new HandshakeError(reason, "Refused.", { url });
    };
    if (!process.alive) return new Promise<Transport>(() => {});
    if (!this.networkUp || !this.openProfiles.has(securityProfile)) return fail("network");
    const { central } = this;
    const password = authorizationKey === undefined ? undefined : bytes(authorizationKey);
    const decision = await Promise.race([
      central.credentials.authenticate({ identity, password, securityProfile }),
      central.process.death,
    ]);
    if (!central.process.alive) return fail("network");
    if (decision !== true) return fail("unauthorized");
    // Nobody is let in with what an Accepted has ended, nor with a profile below one that was in use.
    if (authorizationKey !== undefined && this.dead.has(authorizationKey))
      this.violations.push("a dead key was let in");
    if (securityProfile < this.highestProfile) this.violations.push("the profile has fallen");
    this.connections++;
    this.highestOpened = Math.max(this.highestOpened, securityProfile);
    this.link = transportPair(this.clock, { latencyMs: 20 });
    central.system.accept(this.link.centralSystem, identity);
    await new Promise<void>((resolve) => this.clock.wakeAt(this.clock.now() + 20, resolve));
    if (central.process.alive) this.highestProfile = Math.max(this.highestProfile, securityProfile);
    if (this.losesUpgrades > 0) {
      this.losesUpgrades--;
      this.link.chargePoint.drop();
      return fail("network");
    }
    return this.link.chargePoint;
  }

  change(timeoutMs: number): void {
    const authorizationKey = keyOf(++this.keys);
    const { process, credentials } = this.central;
    const older = Array.from({ length: this.keys - 1 }, (_, at) => keyOf(at + 1));
    credentials.changeAuthorizationKey(identity, { authorizationKey, timeoutMs }).then(
      (status: CredentialChange) => {
        if (!process.alive || status !== "Accepted") return;
        for (const key of older) this.dead.add(key);
      },
      () => {},
    );
  }

  raise(profile: 2 | 3, timeoutMs: number): void {
    this.central.credentials.raiseSecurityProfile(identity, profile, { timeoutMs }).catch(() => {});
  }

  crashCentralSystem(): void {
    this.central.process.kill();
    this.link?.centralSystem.drop();
    this.startCentralSystem();
  }

  async cutPower(): Promise<void> {
    if (this.charger !== undefined) {
      this.charger.process.kill();
      void this.charger.chargePoint.stop();
    }
    this.link?.chargePoint.drop();
    await this.startCharger();
  }

  /** Nobody else gets in, whenever he tries. */
  async strangers(): Promise<void> {
    expect(this.violations).toEqual([]);
    const keys = Array.from({ length: this.keys }, (_, at) => keyOf(at + 1));
    const presented = ([0, 1, 2] as const).flatMap((securityProfile) => [
      ...[...this.dead, keyOf(this.keys + 1), ""].map((key) => ({ key, securityProfile })),
      ...(securityProfile < this.highestProfile ? keys.map((key) => ({ key, securityProfile })) : []),
    ]);
    const decisions = Promise.all(
      presented.map(({ key, securityProfile }) =>
        this.central.credentials.authenticate({ identity, password: bytes(key), securityProfile }),
      ),
    );
    await this.clock.advance(20); // Until what is being written has been written.
    const admitted = (await decisions).flatMap((decision, at) => (decision === false ? [] : [presented[at]]));
    expect(admitted, "strangers were let in").toEqual([]);
  }

  /** When nothing disturbs them any more, the two find back together, and agree on one key and one profile. */
  async calm(highestOpen = 3): Promise<void> {
    this.networkUp = true;
    this.losesUpgrades = 0;
    this.openProfiles = new Set([0, 1, 2, 3].filter((profile) => profile <= highestOpen));
    await this.clock.advance(10 * minute);
    const { system } = this.central;
    expect(system.get(identity), "they have not found back together").toBeDefined();
    const heartbeat = this.charger?.chargePoint.call("Heartbeat", {});
    await this.clock.advance(second);
    expect(await heartbeat).toMatchObject({ currentTime: expect.any(String) });
    await this.strangers();
  }

  /** The same where only profiles can be reached that have been in use. */
  async calmBelow(): Promise<void> {
    this.networkUp = false;
    await this.clock.advance(second); // A handshake that is under way may yet succeed.
    await this.calm(this.highestOpened);
  }

  /** Both ends know the same after the next connection, unless something waits for a reboot. */
  async agreement(): Promise<void> {
    this.verdict = "Accepted";
    this.thinkingMs = 0;
    await this.calm();
    await this.cutPower();
    await this.clock.advance(minute);
    this.link?.centralSystem.drop();
    await this.calm();
    const record = this.records.get(identity);
    const [presented] = await this.flash.load("credentials/");
    const [own] = JSON.parse(presented?.value ?? "[]") as Credential[];
    // A certificate says nothing about a key, and one that waits for a reboot may wait in vain: it was replaced since.
    if (own?.securityProfile !== 3) {
      expect(record?.candidates?.filter(({ rebootRequired }) => !rebootRequired) ?? [], "still undecided").toEqual([]);
      expect(own?.authorizationKey).toBe(record?.authorizationKey);
    }
    expect(own?.securityProfile).toBe(record?.securityProfile);
  }
}

type Command = fc.AsyncCommand<Record<string, never>, World>;

const command = (name: string, run: (world: World) => void | Promise<void>): Command => ({
  check: () => true,
  run: async (_, world) => run(world),
  toString: () => name,
});

const waits = fc.oneof(fc.nat(60), fc.nat(10 * second), fc.nat(3 * minute));

const set = <K extends "losesUpgrades" | "openProfiles" | "thinkingMs" | "verdict">(key: K, value: World[K]): Command =>
  command(`${key} = ${value instanceof Set ? [...value] : value}`, (world) => {
    world[key] = value;
  });

const change = fc
  .constantFrom(50, 5 * second)
  .map((timeoutMs) => command(`change ${timeoutMs}`, (world) => world.change(timeoutMs)));

/** What happens to any two that want to change a key. */
const disturbances = [
  change,
  change,
  waits.map((ms) => command(`wait ${ms}`, (world) => world.clock.advance(ms))),
  waits.map((ms) => command(`wait ${ms}`, (world) => world.clock.advance(ms))),
  waits.map((ms) => command(`wait ${ms}`, (world) => world.clock.advance(ms))),
  fc.constant(command("lose answers", (world) => world.link?.chargePoint.mute())),
  fc.constant(command("lose CALLs", (world) => world.link?.centralSystem.mute())),
  fc.constant(command("drop", (world) => world.link?.chargePoint.drop())),
  fc.constant(command("crash", (world) => world.crashCentralSystem())),
  fc.constant(command("cut power", (world) => world.cutPower())),
  fc.boolean().map((up) =>
    command(`network ${up ? "up" : "down"}`, (world) => {
      world.networkUp = up;
      if (!up) world.link?.chargePoint.drop();
    }),
  ),
  fc.integer({ min: 1, max: 3 }).map((times) => set("losesUpgrades", times)),
  fc.constantFrom("Accepted" as const, "Rejected" as const).map((verdict) => set("verdict", verdict)),
  fc.constant(command("strangers", (world) => world.strangers())),
  fc.constant(command("calm", (world) => world.calm())),
];

/** What only those survive who can fall back. */
const more = [
  fc
    .constantFrom(2 as const, 3 as const)
    .map((profile) => command(`raise ${profile}`, (world) => world.raise(profile, 5 * second))),
  fc.subarray([1, 2, 3]).map((profiles) => set("openProfiles", new Set(profiles))),
  fc.constant(set("verdict", "RebootRequired")),
  // With a profile that was asked for, but never offered: without falling back nobody would come.
  fc.constant(command("calm, below", (world) => world.calmBelow())),
  fc.constantFrom(0, 100, 20 * second).map((ms) => set("thinkingMs", ms)),
];

describe("KnownCredentials and OwnCredentials, whatever happens to either and between them", () => {
  test("find back together, let nobody in with what an Accepted has ended, and never lower the profile [J-178] [J-184] [SEC-A01-03] [SEC-A05-08] [SEC-A05-09]", async () => {
    let connections = 0;
    let dead = 0;
    let raised = 0;
    await fc.assert(
      fc.asyncProperty(fc.commands([...disturbances, ...more], { size: "+1", maxCommands: 40 }), async (steps) => {
        const world = new World();
        await world.begin();
        await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
        await world.agreement();
        connections += world.connections;
        dead += world.dead.size;
        raised += world.highestProfile > 1 ? 1 : 0;
      }),
      { numRuns: 400 },
    );
    // It has come to what the laws are about.
    expect(connections).toBeGreaterThan(500);
    expect(dead).toBeGreaterThan(20);
    expect(raised).toBeGreaterThan(5);
  }, 60_000);

  test("lock nobody out who has only one key and cannot fall back [J-178] [J-179] [SEC-A01-03] [SEC-A01-04]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(disturbances, { size: "+1", maxCommands: 40 }), async (steps) => {
        const world = new World(true);
        await world.begin();
        await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
        await world.calm();
      }),
      { numRuns: 400 },
    );
  }, 60_000);
});
