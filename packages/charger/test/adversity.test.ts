/* What somebody who meant ill has found: energy where there must be none, and statuses that do not follow from the facts. */
import { describe, expect, test } from "vitest";
import { charging, ready } from "./certification/ready.ts";
import { ChargerSite, hour, minute, second } from "./charger-site.ts";
import { ScriptedHardware } from "./scripted-hardware.ts";

/** Somebody comes to connector 1 and would charge, if that were possible. */
async function comes(site: ChargerSite, idTag = "TAG"): Promise<string> {
  site.hardware.unplug(1);
  await site.clock.advance(second);
  site.hardware.plug(1);
  site.hardware.present(idTag, 1);
  await site.clock.advance(second);
  return `${site.status(1)} ${site.hardware.offers.get(1)?.A ?? "-"}`;
}

describe("What is wrong is mended by whoever has told it, and by nobody else", () => {
  test("the emergency button, whatever the hardware says of its own errors", async () => {
    const site = await ready();
    const { listener } = site.hardware;
    listener.emergencyStop(true);
    listener.mended(0);
    listener.mended(0, { errorCode: "OtherError" });
    expect(await comes(site)).toBe("Faulted -");
    listener.faulted(0, { errorCode: "OtherError", info: "flooded" });
    listener.emergencyStop(false);
    expect(await comes(site)).toBe("Faulted -");
    listener.mended(0);
    expect(await comes(site)).toBe("Charging 32");
  });

  test("a fault of the same name as that of a contactor that did not open at once", async () => {
    const site = await charging();
    const offer = site.hardware.offer.bind(site.hardware);
    let fails = true;
    site.hardware.offer = (id, given) => {
      if (id === 1 && given === undefined && fails) {
        fails = false;
        throw new Error("It sticks.");
      }
      offer(id, given);
    };
    site.hardware.listener.faulted(1, { errorCode: "PowerSwitchFailure", info: "welded" });
    await site.clock.advance(minute);
    expect(await comes(site)).toBe("Faulted -");
  });

  test("a contactor that does not open, though the hardware says that all is mended", async () => {
    const site = await charging();
    site.hardware.fails = true;
    site.hardware.unplug(1);
    await site.clock.advance(second);
    site.hardware.listener.mended(1);
    expect((await comes(site)).startsWith("Faulted")).toBe(true);
  });

  test("a lock that has failed once is sound once it moves again", async () => {
    const site = await charging();
    site.hardware.unlocking = "UnlockFailed";
    await site.after(() => site.hardware.present("TAG", 1), second);
    expect(site.charger.state.connectors[0]?.error.errorCode).toBe("ConnectorLockFailure");
    site.hardware.unlocking = "Unlocked";
    await comes(site);
    await site.after(() => site.hardware.present("TAG", 1), second);
    expect(site.charger.state.connectors[0]?.error.errorCode).toBe("NoError");
  });
});

describe("An emergency", () => {
  test("that was there when the power came back stops what would go on [CORE-STOP-17]", async () => {
    const traits = { resumesAfterFault: true, resumesAfterPowerLoss: true };
    const site = await charging({ hardware: new ScriptedHardware([traits, {}]) });
    const listen = site.hardware.listen.bind(site.hardware);
    site.hardware.listen = (listener) => {
      listen(listener);
      listener.emergencyStop(true);
    };
    await site.powerCut();
    await site.after(() => site.hardware.listener.emergencyStop(false), minute);
    expect(site.payloads("StopTransaction")).toMatchObject([{ reason: "EmergencyStop" }]);
    expect(site.hardware.offers.get(1)).toBeUndefined();
  });
});

describe("Once it was stopped", () => {
  test("nothing is offered any more, whatever comes late", async () => {
    const site = await charging();
    let done: (status: "NotSupported") => void = () => {};
    site.hardware.unlock = (() => new Promise((resolve) => (done = resolve))) as never;
    const unlocking = site.charger.unlock(1);
    await site.clock.advance(second);
    await site.charger.stop();
    done("NotSupported");
    await unlocking;
    await site.clock.advance(minute);
    expect(site.hardware.offers.get(1)).toBeUndefined();
  });

  test("a contactor that does not open is told to until it does", async () => {
    const site = await charging();
    const offer = site.hardware.offer.bind(site.hardware);
    let failures = 4;
    site.hardware.offer = (id, given) => {
      if (id === 1 && failures-- > 0) throw new Error("It sticks.");
      offer(id, given);
    };
    await site.charger.stop();
    await site.clock.advance(10 * minute);
    expect(site.hardware.offers.get(1)).toBeUndefined();
    expect(site.clock.pending).toBe(0);
  });

  test("no card that waits for a cable begins anything, once a Reset has", async () => {
    const site = await ready({ resetTimeoutMs: minute });
    site.hardware.present("CARD"); // Two connectors are free.
    site.reachable = false;
    await site.call("Reset", { type: "Soft" });
    site.hardware.rebooted = () => {};
    await site.after(() => site.hardware.plug(2), second);
    expect(site.charger.chargePoint.transactions).toEqual([]);
  });
});

describe("A contactor", () => {
  test("that closes while it breaks is opened", async () => {
    const site = await ready();
    const offer = site.hardware.offer.bind(site.hardware);
    site.hardware.offer = (id, given) => {
      if (given !== undefined) site.hardware.listener.faulted(id, { errorCode: "GroundFailure" });
      offer(id, given);
    };
    expect(await comes(site)).toBe("Faulted -");
  });

  test("that closes when it was given up is opened", async () => {
    const site = await ready();
    const offer = site.hardware.offer.bind(site.hardware);
    site.hardware.offer = (id, given) => {
      if (given === undefined) return offer(id, given);
      return new Promise<void>((resolve) => {
        site.clock.wakeAt(site.clock.now() + 15 * second, () => resolve(offer(id, given)));
      });
    };
    await comes(site);
    await site.clock.advance(minute);
    expect([site.status(1), site.hardware.offers.get(1)]).toEqual(["Finishing", undefined]);
  });
});

describe("Who may not", () => {
  test("a stranger by RemoteStartTransaction is asked about where a reservation names a group [RSV-08]", async () => {
    const site = await ready({ configuration: { AuthorizeRemoteTxRequests: false } });
    const expiryDate = new Date(site.clock.now() + hour).toISOString();
    await site.call("ReserveNow", {
      connectorId: 1,
      idTag: "OWNER",
      parentIdTag: "GROUP",
      reservationId: 1,
      expiryDate,
    });
    site.hardware.plug(1);
    await site.call("RemoteStartTransaction", { idTag: "STRANGER", connectorId: 1 });
    await site.clock.advance(second);
    expect(site.payloads("StartTransaction")).toEqual([]);
    site.idTags.set("MATE", { status: "Accepted", parentIdTag: "GROUP" });
    await site.call("RemoteStartTransaction", { idTag: "MATE", connectorId: 1 });
    await site.clock.advance(second);
    expect(site.payloads("StartTransaction")).toMatchObject([{ idTag: "MATE", reservationId: 1 }]);
  });

  test("MaxEnergyOnInvalidId is granted once, however often the power fails [CORE-LAO-11]", async () => {
    const configuration = { StopTransactionOnInvalidId: false, MaxEnergyOnInvalidId: 100 };
    const hardware = new ScriptedHardware([{ resumesAfterPowerLoss: true }, {}]);
    const site = new ChargerSite({ configuration, hardware });
    site.answers.StartTransaction = () => ({ transactionId: 1, idTagInfo: { status: "Invalid" } });
    await site.start();
    await comes(site);
    site.hardware.measure(1, 1090);
    await site.clock.advance(second);
    expect(site.status(1)).toBe("Charging");
    await site.powerCut();
    await site.clock.advance(second);
    expect(site.status(1)).toBe("Charging");
    site.hardware.measure(1, 1100);
    await site.clock.advance(second);
    expect(site.status(1)).toBe("SuspendedEVSE");
  });

  test("the profile of a RemoteStartTransaction that was refused bounds nobody else's transaction [CORE-RST-12]", async () => {
    const site = await ready({ configuration: { AuthorizeRemoteTxRequests: true } });
    site.hardware.plug(1);
    await site.clock.advance(second);
    site.idTags.set("TAG", { status: "Blocked" });
    const chargingProfile = {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: "TxProfile" as const,
      chargingProfileKind: "Relative" as const,
      chargingSchedule: { chargingRateUnit: "A" as const, chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] },
    };
    await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1, chargingProfile });
    await site.clock.advance(minute);
    site.idTags.delete("TAG");
    await site.after(() => site.hardware.present("TAG", 1), second);
    expect(site.hardware.offers.get(1)?.A).toBe(32);
  });
});

describe("A status", () => {
  test("follows each turn of those that share the power [SC-23]", async () => {
    const site = await new ChargerSite({ maximum: { limit: 10, unit: "A" }, pauseSeconds: 60 }).start();
    for (const id of [1, 2]) {
      site.hardware.plug(id);
      site.hardware.present(`T${id}`, id);
      await site.clock.advance(second);
    }
    for (let turn = 0; turn < 3; turn++) {
      await site.clock.advance(minute);
      for (const id of [1, 2]) {
        const expected = site.hardware.offers.get(id) === undefined ? "SuspendedEVSE" : "Charging";
        expect([site.status(id), site.statusTold(id)]).toEqual([expected, expected]);
      }
    }
  });

  test("is told of a fault though a cable is being let go", async () => {
    const site = await charging();
    site.hardware.unlock = (() => new Promise(() => {})) as never;
    void site.charger.unlock(1);
    await site.clock.advance(second);
    site.hardware.listener.faulted(1, { errorCode: "GroundFailure" });
    await site.clock.advance(second);
    expect(site.statusTold(1)).toBe("Faulted");
  });
});

describe("The state", () => {
  test("is told when it is another, so that who does something without effect each time comes to an end", async () => {
    const site = await ready();
    let told = 0;
    site.charger.on("changed", () => {
      told += 1;
      site.charger.stopTransaction(1);
    });
    site.hardware.measure(1, 1500);
    await site.clock.advance(second);
    expect(told).toBe(1);
  });

  test("and what is offered cannot be changed by who gets it", async () => {
    const hardware = new ScriptedHardware();
    const offer = hardware.offer.bind(hardware);
    hardware.offer = (id, given) => {
      offer(id, given && { ...given });
      if (given !== undefined) Object.assign(given, { A: 0 });
    };
    const site = await charging({ hardware });
    site.hardware.measure(1, 1500);
    const [first] = site.charger.state.connectors;
    Object.assign(first?.reading ?? {}, { "Energy.Active.Import.Register": -5 });
    expect(site.charger.state.connectors[0]).toMatchObject({
      offer: { A: 32 },
      reading: { "Energy.Active.Import.Register": 1500 },
    });
  });
});
