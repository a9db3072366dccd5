import { memoryStore, type RecordStore } from "@ocppj/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Charger, type ChargerOptions, certificates, firmwareManagement, type Hardware } from "../src/index.ts";
import { fakeTools } from "./certificates/fake-tools.ts";
import { charging, ready } from "./certification/ready.ts";
import { ChargerSite, minute, second } from "./charger-site.ts";
import { ScriptedHardware } from "./scripted-hardware.ts";

const unhandled: unknown[] = [];
const keep = (error: unknown): void => void unhandled.push(error);
beforeEach(() => void process.on("unhandledRejection", keep));
afterEach(() => {
  process.off("unhandledRejection", keep);
  expect(unhandled.splice(0)).toEqual([]);
});

const tools = fakeTools();
const options: ChargerOptions = {
  identity: "CP001",
  url: "ws://central.example.com/ocpp",
  boot: { chargePointVendor: "V", chargePointModel: "M" },
  connect: () => () => new Promise(() => {}),
  store: memoryStore(),
  hardware: new ScriptedHardware(),
};

describe("A Charger", () => {
  test.each([
    [{ identity: 5 }, "identity is 5. Give a text."],
    [{ hardware: {} }, "Give your hardware (wrong: listen, offer, reboot)."],
    [{ hardware: { listen() {}, offer() {}, reboot() {}, connectors: [] } }, "hardware.connectors is no list"],
    [{ firmwareManagement: {} }, "Give what firmwareManagement() returns (wrong: open, read)."],
    [{ remoteStartChooses: "any" }, 'Give "plugged" or "first" or "refuse".'],
    [{ certificates: {} }, "Give what `certificates` makes (wrong: open)."],
    [{ startButtonIdTag: "x".repeat(21) }, "Give an identifier of 1 to 20 characters."],
    [{ hardware: new ScriptedHardware([{}, { maximum: 16 as never }]) }, "maximum is 16. Give a limit above 0"],
    [{ hardware: new ScriptedHardware([{ maximum: { limit: 0, unit: "A" } }]) }, "Give a limit above 0"],
    [{ hardware: new ScriptedHardware([{ maximum: { limit: 11, unit: "kW" as never } }]) }, "Give a limit above 0"],
    [{ hardware: new ScriptedHardware([{ phases: 4 as never }]) }, "phases is 4. Give 1 or 2 or 3."],
    [{ hardware: new ScriptedHardware([{ cable: "Fixed" as never }]) }, 'cable is "Fixed". Give "socket" or "fixed".'],
    [{ hardware: Object.assign(new ScriptedHardware(), { unlock: undefined }) }, "hardware has lock, but no unlock"],
    [{ colour: "red" }, 'Charger has no option "colour"'],
  ])("says at once what is wrong with its options: %o", (wrong, message) => {
    expect(() => new Charger({ ...options, ...wrong } as ChargerOptions)).toThrow(message);
  });

  test.each([
    [{ tools: { read() {} } }, "(wrong: isIssuedBy, hashData, newKey)"],
    [{ roots: { RootCertificate: "" } }, 'roots has no option "RootCertificate"'],
    [{ own: { cert: "", key: 5 } }, "key is not what it may be. Give a text."],
    [{ hashAlgorithm: "MD5" }, 'Give "SHA256" or "SHA384" or "SHA512".'],
  ])("says at once what is wrong with its certificates, without a key: %o", (wrong, message) => {
    const named = { tools, ...wrong } as Parameters<typeof certificates>[0];
    expect(() => certificates(named)).toThrow(message);
  });

  test("says that connect() is not connect, and leaves no rejection to the process", async () => {
    const faults: string[] = [];
    const connect = (): never => Promise.reject(new TypeError('"undefined" is no endpoint URL.')) as never;
    const charger = new Charger({ ...options, connect, store: memoryStore() });
    charger.on("fault", ({ error }) => faults.push(String(error)));
    await charger.start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(faults[0]).toBe(
      "TypeError: connect has returned no function. Give connect itself, or (credential) => connect(credential).",
    );
    await charger.stop();
  });

  test.each([undefined, {}, { protocols: "HTTP", download() {}, upload() {} }, { protocols: [], download() {} }])(
    "is not given firmware management by what cannot transfer files: %o",
    (transfers) => {
      expect(() => firmwareManagement(transfers as never)).toThrow(
        new TypeError("Give file transfers, with protocols, download and upload."),
      );
    },
  );

  test("says what is wrong with values of keys when it is started, and can be started once they are right", async () => {
    const charger = new Charger({ ...options, configuration: { NumberOfConnectors: 3 } as never });
    await expect(charger.start()).rejects.toThrow("NumberOfConnectors follows from the charger and cannot be given.");
    let fails = true;
    const memory = memoryStore();
    const store: RecordStore = {
      ...memory,
      load: (prefix) => (fails ? Promise.reject(new Error("No disk.")) : memory.load(prefix)),
    };
    const other = new Charger({ ...options, store });
    await expect(other.start()).rejects.toThrow("No disk.");
    fails = false;
    await other.start();
    await expect(other.start()).rejects.toThrow("A Charger is started once.");
    await other.stop();
  });

  test("has nothing to show before it is started, and says so", () => {
    const charger = new Charger(options);
    for (const use of [() => charger.state, () => charger.chargePoint, () => charger.explain(1)]) {
      expect(use).toThrow("The Charger is not started. Await start() first.");
    }
  });

  test("goes on with hardware that hangs everywhere: it registers, and offers nothing", async () => {
    const hardware = new ScriptedHardware();
    const hangs = () => new Promise<never>(() => {});
    Object.assign(hardware, { lock: hangs, offer: hangs });
    const listen = hardware.listen.bind(hardware);
    hardware.listen = (listener) => {
      listen(listener);
      return hangs();
    };
    const site = new ChargerSite({ hardware });
    await site.start();
    expect(site.take()).toEqual([]); // It waits to hear what is the case.
    expect(await site.after(() => {}, 11 * second)).toContain("BootNotification");
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("TAG", 1), 20 * second);
    expect(site.charger.state.connectors[0]?.session?.transaction).toBeUndefined();
    expect(site.faults.length).toBeGreaterThan(0);
  });

  test("takes what is lent as it was, and what listeners throw as a fault", async () => {
    const site = await charging();
    site.charger.on("changed", () => {
      throw new Error("My display is broken.");
    });
    const reading = { "Energy.Active.Import.Register": 1500 };
    site.hardware.listener.measured(1, reading);
    reading["Energy.Active.Import.Register"] = 1;
    await site.clock.advance(0);
    expect(site.charger.state.connectors[0]?.session?.transaction?.energy).toBe(500);
    expect(String(site.faults[0])).toContain("My display is broken.");
  });

  test("rejects what the store does not keep, also one that never answers, and does nothing of it", async () => {
    let hangs = false;
    const memory = memoryStore();
    const store: RecordStore = {
      ...memory,
      put: (key, value) => (hangs ? new Promise(() => {}) : memory.put(key, value)),
    };
    const site = await ready({ store });
    hangs = true;
    const expiryDate = new Date(site.clock.now() + 60 * minute).toISOString();
    const calls = [
      site.connection.call("ChangeAvailability", { connectorId: 1, type: "Inoperative" }, { timeoutMs: 90 * second }),
      site.connection.call(
        "ReserveNow",
        { connectorId: 2, idTag: "A", reservationId: 1, expiryDate },
        { timeoutMs: 90 * second },
      ),
    ];
    await site.clock.advance(2 * minute);
    expect(await Promise.all(calls)).toEqual([{ status: "Rejected" }, { status: "Rejected" }]);
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
  });

  test("a full queue starts no transaction, and says why", async () => {
    const site = await ready({ maxQueuedMessages: 2, configuration: { AllowOfflineTxForUnknownId: true } });
    site.reachable = false;
    site.links.at(-1)?.chargePoint.drop();
    for (const id of [1, 2]) {
      site.hardware.plug(id);
      await site.after(() => site.hardware.present(`TAG${id}`, id));
    }
    const offers = [1, 2].map((id) => site.hardware.offers.get(id) !== undefined);
    expect(offers).toEqual([true, false]);
    expect(site.status(2)).toBe("Finishing");
    expect(String(site.faults.at(-1))).toContain("RangeError");
  });

  test("can be stopped at any moment, and leaves nothing behind", async () => {
    const slowly = (): Partial<Hardware> => ({ listen: () => new Promise((resolve) => setImmediate(resolve)) });
    await fc.assert(
      fc.asyncProperty(fc.nat(60), fc.boolean(), async (steps, slow) => {
        const hardware = new ScriptedHardware();
        if (slow) Object.assign(hardware, slowly());
        const site = new ChargerSite({ hardware });
        const started = site.charger.start().catch((error: unknown) => error);
        for (let step = 0; step < steps; step++) await Promise.resolve();
        if (steps % 3 === 0) await site.clock.advance(0);
        const stopped = site.charger.stop();
        await site.clock.advance(minute);
        await Promise.all([started, stopped]);
        await site.clock.advance(minute);
        expect(site.centralSystem.get("CP001")).toBeUndefined();
        expect(site.clock.pending).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
