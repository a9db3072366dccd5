import { type ChargePoint, limitAt, memoryStore, type RecordStore, type Req, transactionMessageKey } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import type { ConnectorStatus } from "../src/index.ts";
import { transitions } from "../src/status/transitions.ts";
import { ChargerSite, hour, minute, second } from "./charger-site.ts";
import { ScriptedHardware } from "./scripted-hardware.ts";
import { SimulatedFileJobs } from "./simulated-file-jobs.ts";

const connectorIds = [1, 2] as const;
const idTags = ["ANNA", "BERT", "BLOCKED"] as const;

/** What happens in the world of a charger. */
export type Happening =
  /** Somebody comes and charges, if all goes well. */
  | { readonly do: "charge"; readonly connectorId: number; readonly idTag: string }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "plug"; readonly connectorId: number }
  | { readonly do: "unplug"; readonly connectorId: number; readonly end: "charge-point" | "vehicle" }
  | { readonly do: "present"; readonly idTag: string; readonly connectorId: number | undefined }
  | { readonly do: "press"; readonly connectorId: number }
  | { readonly do: "want"; readonly connectorId: number; readonly wants: boolean }
  | { readonly do: "break"; readonly connectorId: number }
  | { readonly do: "mend"; readonly connectorId: number }
  | { readonly do: "emergency"; readonly pressed: boolean }
  | { readonly do: "meter restarts"; readonly connectorId: number }
  | { readonly do: "jam"; readonly jams: boolean }
  | { readonly do: "hardware fails"; readonly fails: boolean }
  | { readonly do: "reach"; readonly reachable: boolean }
  | { readonly do: "power cut" }
  | { readonly do: "power cut at write"; readonly nth: number; readonly isKept: boolean }
  | { readonly do: "store fails"; readonly fails: boolean }
  | { readonly do: "files travel"; readonly travel: boolean }
  | { readonly do: "installations end"; readonly installing: SimulatedFileJobs["installing"] }
  | { readonly do: "call"; readonly action: keyof typeof calls; readonly choice: number };

/** What the Central System asks for, by a number. */
const calls = {
  RemoteStartTransaction: (choice) => ({
    idTag: idTags[choice % 3] as string,
    ...(choice % 4 > 0 && { connectorId: 1 + (choice % 2) }),
    ...(choice % 5 === 0 && { chargingProfile: profile("TxProfile", 6 + (choice % 20)) }),
  }),
  RemoteStopTransaction: (choice) => ({ transactionId: choice }),
  UnlockConnector: (choice) => ({ connectorId: 1 + (choice % 3) }),
  ChangeAvailability: (choice) => ({ connectorId: choice % 3, type: choice % 2 ? "Operative" : "Inoperative" }),
  ReserveNow: (choice, now) => ({
    connectorId: choice % 3,
    idTag: idTags[choice % 2] as string,
    reservationId: choice % 4,
    expiryDate: new Date(now + (choice % 7) * 10 * minute).toISOString(),
  }),
  CancelReservation: (choice) => ({ reservationId: choice % 4 }),
  Reset: (choice) => ({ type: choice % 2 ? "Soft" : "Hard" }),
  SetChargingProfile: (choice) => {
    const purpose = (["TxDefaultProfile", "TxProfile", "ChargePointMaxProfile"] as const)[choice % 3] ?? "TxProfile";
    const connectorId = purpose === "TxProfile" ? 1 + (choice % 2) : purpose === "TxDefaultProfile" ? choice % 4 : 0;
    return { connectorId, csChargingProfiles: profile(purpose, choice % 33) };
  },
  ClearChargingProfile: () => ({}),
  ChangeConfiguration: (choice) =>
    [
      { key: "ConnectionTimeOut", value: `${choice % 60}` },
      { key: "StopTransactionOnEVSideDisconnect", value: `${choice % 2 === 0}` },
      { key: "UnlockConnectorOnEVSideDisconnect", value: `${choice % 2 === 0}` },
      { key: "StopTransactionOnInvalidId", value: `${choice % 2 === 0}` },
      { key: "AuthorizeRemoteTxRequests", value: `${choice % 2 === 0}` },
      { key: "MinimumStatusDuration", value: `${choice % 3}` },
      { key: "MeterValueSampleInterval", value: `${choice % 90}` },
    ][choice % 7] as Req<"ChangeConfiguration">,
  TriggerMessage: (choice) => ({
    requestedMessage: choice % 2 ? "MeterValues" : "StatusNotification",
    ...(choice % 3 > 0 && { connectorId: choice % 3 }),
  }),
  SignedUpdateFirmware: (choice, now) => ({
    requestId: now, // Nothing is asked for twice in the same millisecond.
    retries: choice % 3,
    retryInterval: 30,
    firmware: {
      location: `http://files/${choice % 5 ? "good" : "bad"}`,
      retrieveDateTime: new Date(now + (choice % 4) * minute).toISOString(),
      ...(choice % 7 > 3 && { installDateTime: new Date(now + (choice % 7) * 2 * minute).toISOString() }),
      signingCertificate: choice % 11 ? "valid" : "revoked",
      signature: "c2ln",
    },
  }),
  GetLog: (choice, now) => ({
    requestId: now,
    logType: choice % 2 ? "SecurityLog" : "DiagnosticsLog",
    retries: choice % 3,
    retryInterval: 20,
    log: { remoteLocation: "http://files/" },
  }),
  ExtendedTriggerMessage: (choice) => ({
    requestedMessage: choice % 2 ? "LogStatusNotification" : "FirmwareStatusNotification",
  }),
} satisfies { [A in string]: (choice: number, now: number) => object };

function profile(chargingProfilePurpose: "TxProfile" | "TxDefaultProfile" | "ChargePointMaxProfile", limit: number) {
  return {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose,
    chargingProfileKind:
      chargingProfilePurpose === "ChargePointMaxProfile" ? ("Absolute" as const) : ("Relative" as const),
    chargingSchedule: {
      chargingRateUnit: "A" as const,
      chargingSchedulePeriod: [
        { startPeriod: 0, limit },
        // That of the whole charger begins at no moment, so it cannot change.
        ...(chargingProfilePurpose === "ChargePointMaxProfile" ? [] : [{ startPeriod: 600, limit: 32 - limit }]),
      ],
    },
  };
}

const connectorId = fc.constantFrom(...connectorIds);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("charge"), connectorId, idTag: fc.constantFrom(...idTags) }) },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant("wait"), ms: fc.constantFrom(0, second, 20 * second, minute, 20 * minute) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("plug"), connectorId }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("unplug"), connectorId, end: fc.constantFrom("charge-point", "vehicle") }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("present"),
      idTag: fc.constantFrom(...idTags),
      connectorId: fc.constantFrom(1, 2, undefined),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("press"), connectorId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("want"), connectorId, wants: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("break"), connectorId: fc.constantFrom(0, 1, 2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mend"), connectorId: fc.constantFrom(0, 1, 2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("emergency"), pressed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("meter restarts"), connectorId }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("jam"), jams: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hardware fails"), fails: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reach"), reachable: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("power cut") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("power cut at write"),
      nth: fc.integer({ min: 1, max: 6 }),
      isKept: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("store fails"), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("files travel"), travel: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("installations end"),
      installing: fc.constantFrom("installed", "restart", "fails"),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("call"),
      action: fc.constantFrom(...(Object.keys(calls) as (keyof typeof calls)[])),
      choice: fc.nat(200),
    }),
  },
) as fc.Arbitrary<Happening>;

export const schedules = fc.array(happening, { minLength: 1, maxLength: 40 });

/** The same with many jobs, and what can come between them. */
export const jobSchedules = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: happening },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("call" as const),
        action: fc.constantFrom("SignedUpdateFirmware" as const, "GetLog" as const),
        choice: fc.nat(200),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(20 * second, minute) }) },
    { weight: 1, arbitrary: fc.constant({ do: "power cut" as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("power cut at write" as const),
        nth: fc.integer({ min: 1, max: 12 }),
        isKept: fc.boolean(),
      }),
    },
  ),
  { minLength: 1, maxLength: 20, size: "max" },
);

/** A store whose power can be cut at a write, and that can fail. */
class Disk implements RecordStore {
  readonly #records = memoryStore();
  fails = false;
  /** After how many writes the power fails, whether the last one is kept, and what happens then. */
  cut: { nth: number; readonly isKept: boolean; readonly act: () => void } | undefined;

  load(prefix: string) {
    return this.#records.load(prefix);
  }

  put(key: string, value: string) {
    return this.#write(() => this.#records.put(key, value));
  }

  delete(key: string) {
    return this.#write(() => this.#records.delete(key));
  }

  close() {
    return Promise.resolve();
  }

  async #write(write: () => Promise<void>): Promise<void> {
    if (this.fails) throw new Error("The disk is full.");
    const { cut } = this;
    if (cut !== undefined && --cut.nth === 0) {
      this.cut = undefined;
      if (cut.isKept) await write();
      cut.act();
      return new Promise(() => {}); // Nobody is there any more to hear of it.
    }
    await write();
  }
}

/** Lets things happen to a charger. @returns What was wrong; empty: nothing. */
export async function simulate(schedule: readonly Happening[]): Promise<readonly string[]> {
  const world = new World();
  await world.start();
  for (const each of schedule) {
    world.log.push(JSON.stringify(each));
    await world.happen(each);
  }
  await world.end();
  return world.broken;
}

class World {
  readonly clock = new FakeClock();
  readonly disk = new Disk();
  readonly hardware = new ScriptedHardware([
    { resumesAfterPowerLoss: true, resumesAfterFault: true },
    { cable: "fixed" },
  ]);
  readonly site: ChargerSite;
  readonly jobs = new SimulatedFileJobs(this.clock, (law) => this.#break(law));
  readonly broken: string[] = [];
  readonly log: string[] = [];
  readonly #transactions = new Map<string, { readonly id: number; readonly start: Req<"StartTransaction"> }>();
  readonly #stops = new Map<number, Req<"StopTransaction">[]>();
  readonly #readings = new Map<number, { readonly at: number; readonly register: number }[]>();
  readonly #reported = new Map<number, ConnectorStatus>();
  #current: ChargePoint | undefined;
  #isPowered = true;
  /** Of transactions that were started before, the disk may have other ideas. */
  #excusedUntil = Number.NEGATIVE_INFINITY;

  constructor() {
    this.site = new ChargerSite({
      clock: this.clock,
      store: this.disk,
      hardware: this.hardware,
      configuration: {
        AllowOfflineTxForUnknownId: true,
        ConnectionTimeOut: 30,
        MeterValueSampleInterval: 60,
        StopTransactionOnInvalidId: false,
      },
      keepReadingSeconds: 60,
      firmwareManagement: this.jobs.management,
    });
    this.hardware.install = (file) => this.jobs.install(file, this.site.charger.chargePoint.transactions.length);
    this.site.idTags.set("BLOCKED", { status: "Blocked" });
    this.site.built = (charger) => {
      this.#reported.clear();
      this.#current = undefined;
      this.jobs.isInstalling = false;
      // What the disk has refused is lost with the program.
      if (this.disk.fails) this.#excusedUntil = this.clock.now();
      charger.on("fault", () => {});
    };
    this.site.reports = (chargePoint) => this.#follow(chargePoint);
    this.#bill();
  }

  async start(): Promise<void> {
    await this.site.start();
  }

  async happen(happening: Happening): Promise<void> {
    const { hardware, site } = this;
    switch (happening.do) {
      case "wait":
        await this.pass(happening.ms);
        return;
      case "charge":
        hardware.plug(happening.connectorId);
        await this.pass(1);
        hardware.present(happening.idTag, happening.connectorId);
        await this.pass(20 * second);
        return;
      case "plug":
        hardware.plug(happening.connectorId);
        break;
      case "unplug":
        hardware.unplug(happening.connectorId, happening.end);
        break;
      case "present":
        hardware.present(happening.idTag, happening.connectorId);
        break;
      case "press":
        hardware.listener.pressed("stop", happening.connectorId);
        break;
      case "want":
        hardware.listener.wantsEnergy(happening.connectorId, happening.wants);
        break;
      case "break":
        hardware.faults.set(happening.connectorId, { errorCode: "GroundFailure" });
        hardware.listener.faulted(happening.connectorId, { errorCode: "GroundFailure" });
        break;
      case "mend":
        hardware.faults.delete(happening.connectorId);
        hardware.listener.mended(happening.connectorId);
        break;
      case "emergency":
        hardware.listener.emergencyStop(happening.pressed);
        break;
      case "meter restarts":
        hardware.measure(happening.connectorId, 0);
        break;
      case "jam":
        hardware.jams = happening.jams;
        break;
      case "hardware fails":
        hardware.fails = happening.fails;
        break;
      case "reach":
        site.reachable = happening.reachable;
        if (!happening.reachable) for (const link of site.links) link.chargePoint.drop();
        break;
      case "power cut":
        await this.#powerCut();
        break;
      case "power cut at write":
        this.disk.cut = { nth: happening.nth, isKept: happening.isKept, act: () => this.#fail() };
        break;
      case "store fails":
        this.disk.fails = happening.fails;
        break;
      case "files travel":
        this.jobs.travels = happening.travel;
        break;
      case "installations end":
        this.jobs.installing = happening.installing;
        break;
      case "call": {
        const connection = site.centralSystem.get("CP001");
        const req = calls[happening.action](happening.choice, this.clock.now());
        connection?.call(happening.action, req as never).catch(() => {});
        break;
      }
    }
    await this.pass(1); // Nothing happens twice in the same millisecond.
  }

  /** Time passes; energy flows where it is offered. */
  async pass(ms: number): Promise<void> {
    const step = Math.max(1, Math.min(ms, 10 * second));
    for (let passed = 0; passed < Math.max(1, ms); passed += step) {
      await this.clock.advance(Math.min(step, ms));
      if (!this.#isPowered) await this.#powerCut();
      this.#flow(step);
      this.#look();
    }
  }

  /** All is well again, everybody goes, and everything is told. */
  async end(): Promise<void> {
    const { hardware, site } = this;
    this.log.push("the end");
    Object.assign(hardware, { jams: false, fails: false, unlocking: "Unlocked" });
    this.disk.fails = false;
    this.disk.cut = undefined;
    Object.assign(this.jobs, { travels: true, installing: "installed" });
    await this.pass(2 * minute);
    for (const id of [0, ...connectorIds]) {
      hardware.faults.delete(id);
      hardware.listener.mended(id);
    }
    hardware.listener.emergencyStop(false);
    site.reachable = true;
    await this.pass(30 * minute);
    for (const id of connectorIds) {
      site.charger.stopTransaction(id);
      hardware.unplug(id);
    }
    await this.pass(4 * hour);
    this.#settle();
  }

  #fail(): void {
    this.#isPowered = false;
    this.site.powerOff();
  }

  async #powerCut(): Promise<void> {
    if (this.#isPowered) this.site.powerOff();
    this.#isPowered = true;
    await this.site.powerOn();
    this.disk.fails = false;
  }

  #flow(ms: number): void {
    for (const id of connectorIds) {
      const offer = this.hardware.offers.get(id);
      const register = this.hardware.registers.get(id) ?? 0;
      if (offer !== undefined)
        this.hardware.measure(id, register + (offer.W * ms) / hour, { "Power.Active.Import": offer.W });
    }
  }

  /** What must hold at every instant. */
  #look(): void {
    const { charger } = this.site;
    if (!this.#isPowered || this.site.isStarting) return;
    let total = 0;
    for (const id of connectorIds) {
      const offer = this.hardware.offers.get(id);
      const state = charger.state.connectors[id - 1];
      if (offer === undefined || state === undefined) continue;
      const { operative, status } = state;
      if (this.hardware.disobeyed.has(id)) continue; // It was told to open, and does not.
      total += offer.W;
      const transaction = charger.chargePoint.transactions.find((each) => each.connectorId === id);
      const about = `connector ${id} (${status}, ${operative ? "operative" : "inoperative"}) offers ${offer.A} A`;
      if (transaction === undefined) this.#break(`${about} without a transaction`);
      if (!this.hardware.plugs.has(id) || this.hardware.loose.has(id)) this.#break(`${about} without a cable`);
      if (transaction?.identified && transaction.idTag === "BLOCKED") this.#break(`${about} to who is blocked`);
      if (this.hardware.faults.has(id) || this.hardware.faults.has(0)) this.#break(`${about} although it is broken`);
      const { limit } = limitAt(this.site.profiles(), { connectorId: id, at: charger.chargePoint.now(), unit: "A" });
      if (offer.A > limit) this.#break(`${about}, of which the profiles allow ${limit} A`);
    }
    const most = limitAt(this.site.profiles(), { connectorId: 0, at: charger.chargePoint.now(), unit: "W" }).limit;
    if (total > most + 1) this.#break(`${total} W are offered, of which the profiles allow ${most}`);
  }

  /** STX-*: what is reported are steps of the table. */
  #follow(chargePoint: ChargePoint): void {
    this.#current = chargePoint;
    const isDead = (): boolean => this.#current !== chargePoint; // Its power was cut.
    const startTransaction = chargePoint.startTransaction.bind(chargePoint);
    chargePoint.startTransaction = (req, data) => {
      if (!isDead() && this.jobs.isInstalling) this.#break(`${req.idTag} starts while firmware is installed`);
      const reservation = this.site.charger.state.connectors[req.connectorId - 1]?.reservation;
      if (!isDead() && reservation !== undefined && reservation.idTag !== req.idTag)
        this.#break(`${req.idTag} starts where ${reservation.idTag} has reserved`);
      return startTransaction(req, data);
    };
    const report = chargePoint.report.bind(chargePoint);
    chargePoint.report = (status) => {
      if (isDead()) return;
      const { connectorId, status: to } = status;
      const from = this.#reported.get(connectorId);
      if (connectorId === 0 && !["Available", "Unavailable", "Faulted"].includes(to))
        this.#break(`connector 0 is ${to}`);
      else if (connectorId > 0 && from !== undefined && from !== to && transitions[from][to] === undefined) {
        this.#break(`connector ${connectorId} goes from ${from} to ${to}`);
      }
      this.#reported.set(connectorId, to);
      report(status);
    };
  }

  /** The bookkeeping of the Central System. */
  #bill(): void {
    const { answers } = this.site;
    answers.StartTransaction = (start) => {
      const key = transactionMessageKey("CP001", "StartTransaction", start);
      const transaction = this.#transactions.get(key) ?? { id: this.#transactions.size + 1, start };
      this.#transactions.set(key, transaction);
      return { transactionId: transaction.id, idTagInfo: this.site.idTagInfoOf(start.idTag) };
    };
    const read = (id: number | undefined, timestamp: string, register: number): void => {
      if (id === undefined) return;
      this.#readings.set(id, [...(this.#readings.get(id) ?? []), { at: Date.parse(timestamp), register }]);
    };
    answers.MeterValues = ({ meterValue, transactionId }) => {
      for (const { sampledValue, timestamp } of meterValue) {
        const value = sampledValue.find(({ measurand }) => measurand === "Energy.Active.Import.Register");
        if (value !== undefined) read(transactionId, timestamp, Number(value.value));
      }
      return {};
    };
    answers.StopTransaction = (stop) => {
      const stops = this.#stops.get(stop.transactionId) ?? [];
      const key = transactionMessageKey("CP001", "StopTransaction", stop);
      if (!stops.some((each) => transactionMessageKey("CP001", "StopTransaction", each) === key)) stops.push(stop);
      this.#stops.set(stop.transactionId, stops);
      return {};
    };
  }

  /** What must be so in the end. */
  #settle(): void {
    const { charger } = this.site;
    for (const { id, start } of this.#transactions.values()) {
      const stops = this.#stops.get(id) ?? [];
      const isExcused = stops.length === 0 && Date.parse(start.timestamp) <= this.#excusedUntil;
      if (stops.length !== 1 && !isExcused)
        this.#break(`transaction ${id} has ${stops.length} stops: ${JSON.stringify(stops)}`);
      const [stop] = stops;
      if (stop === undefined) continue;
      const all = [
        { at: Date.parse(start.timestamp), register: start.meterStart },
        ...(this.#readings.get(id) ?? []).sort((a, b) => a.at - b.at),
        { at: Date.parse(stop.timestamp), register: stop.meterStop },
      ];
      const falls = all.some(({ at, register }, index) => {
        const next = all[index + 1];
        return next !== undefined && (next.at < at || next.register < register);
      });
      if (falls) this.#break(`transaction ${id} falls: ${JSON.stringify(all)}`);
    }
    this.jobs.settle(this.site, this.#excusedUntil);
    if (charger.chargePoint.undelivered.count > 0) this.#break(`${charger.chargePoint.undelivered.count} wait`);
    for (const { connectorId: id, operative, reservation, status } of charger.state.connectors) {
      const told = this.site.statusTold(id);
      if (told !== status) this.#break(`connector ${id} is ${status}, and ${told} was told`);
      const expected = !operative ? "Unavailable" : reservation !== undefined ? "Reserved" : "Available";
      if (status !== expected) this.#break(`connector ${id} is ${status} in the end, not ${expected}`);
      if (this.hardware.offers.get(id) !== undefined) this.#break(`connector ${id} offers energy in the end`);
    }
  }

  #break(law: string): void {
    if (this.broken.length < 3) this.broken.push(`${law} [after ${this.log.at(-1)}]`);
  }
}
