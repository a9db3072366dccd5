import type { FakeClock } from "@ocppj/testing";
import {
  type ChargePoint,
  type Conf,
  type InstalledProfile,
  type LimitChange,
  limitAt,
  type Req,
  type SmartCharging,
} from "../../src/index.ts";
import type { Disk } from "./simulation-hardware.ts";
import { clears, isSame, replaces } from "./simulation-profiles.ts";
import { day, minute } from "./simulation-schedule.ts";

/** Timers never come early, and may come a little late. */
const lateMs = 5;

/** A CALL of the Central System that has reached the Charge Point. */
interface Call {
  readonly action: string;
  readonly payload: unknown;
}

/** What is on. */
interface On {
  readonly chargePoint: ChargePoint;
  readonly smartCharging: SmartCharging;
  started: boolean;
}

/** What there was when the power failed. */
interface Before {
  readonly at: number;
  readonly installed: readonly InstalledProfile[];
  readonly unanswered: readonly Call[];
  readonly rejected: readonly InstalledProfile[];
}

const idOf = ({ profile }: InstalledProfile): number => profile.chargingProfileId;
const isTx = ({ profile }: InstalledProfile): boolean => profile.chargingProfilePurpose === "TxProfile";
const asSet = ({ payload }: Call): InstalledProfile => {
  const { connectorId, csChargingProfiles } = payload as Req<"SetChargingProfile">;
  return { connectorId, profile: csChargingProfiles };
};

/** The laws of charging profiles: what was accepted is there, also after a power cut, and is what limits say. */
export class ProfileLaws {
  readonly #clock: FakeClock;
  readonly #disk: Disk;
  readonly #law: (holds: boolean, law: string) => void;
  #on: On | undefined;
  /** CALLs of this power that were not answered, and profiles that were rejected. */
  #unanswered = new Set<Call>();
  #rejected: InstalledProfile[] = [];
  /** What was told last, by connector. */
  readonly #told = new Map<number, LimitChange>();
  /** The identifiers of the transactions that TxProfiles were set for, as far as that was answered; by id of the profile. */
  readonly #transactions = new Map<number, string>();
  #before: Before | undefined;

  constructor(clock: FakeClock, disk: Disk, law: (holds: boolean, law: string) => void) {
    this.#clock = clock;
    this.#disk = disk;
    this.#law = law;
  }

  switchedOn(chargePoint: ChargePoint, smartCharging: SmartCharging): void {
    const on = { chargePoint, smartCharging, started: false };
    this.#on = on;
    this.#told.clear();
    chargePoint.on("limit", (change) => void (on === this.#on && this.#told.set(change.connectorId, change)));
  }

  /** Says that `start` has given back what ran. */
  started(): void {
    if (this.#on === undefined) return;
    this.#on.started = true;
    if (this.#before !== undefined) this.#survived(this.#on, this.#before);
    this.#before = undefined;
    this.look();
  }

  switchedOff(inOrder: boolean): void {
    const { smartCharging, started } = this.#on ?? {};
    this.#on = undefined;
    // Before it has started it does not know yet which transactions run.
    if (inOrder || smartCharging === undefined || !started) return;
    const { installed } = smartCharging.profiles;
    const before = { at: this.#clock.now(), installed, unanswered: [...this.#unanswered], rejected: this.#rejected };
    this.#before = before;
    this.#unanswered = new Set();
    this.#rejected = [];
  }

  asked(call: Call): void {
    this.#unanswered.add(call);
    if (call.action === "SetChargingProfile") this.#transactions.set(idOf(asSet(call)), "unknown");
  }

  answered(call: Call, payload: unknown): void {
    this.#unanswered.delete(call);
    const on = this.#on;
    if (on === undefined) return;
    const { status } = payload as Conf<"SetChargingProfile"> | Conf<"ClearChargingProfile">;
    // What is still under way may have changed it again.
    const isLatest = ![...this.#unanswered].some(({ action }) => action.endsWith("ChargingProfile"));
    const { installed } = on.smartCharging.profiles;
    if (call.action === "SetChargingProfile" && payload !== undefined) {
      const set = asSet(call);
      if (status === "Accepted") this.#accepted(on, set, isLatest);
      else this.#refused(set);
    }
    if (call.action === "ClearChargingProfile" && status === "Accepted" && isLatest) {
      const left = installed.filter((each) => clears(call.payload as Req<"ClearChargingProfile">, each));
      this.#law(left.length === 0, `Profiles ${left.map(idOf)} were cleared, and are there.`);
    }
    if (call.action === "GetCompositeSchedule") this.#isObeyed(on, payload as Conf<"GetCompositeSchedule">);
  }

  /** SC-08, SC-21: TxProfiles are those of the transactions that run, and what was told last is what holds. */
  look(): void {
    const { chargePoint, smartCharging, started } = this.#on ?? {};
    if (chargePoint === undefined || smartCharging === undefined || !started) return;
    const { profiles } = smartCharging;
    for (const each of profiles.installed.filter(isTx)) {
      const running = chargePoint.transactions.find(({ connectorId }) => connectorId === each.connectorId);
      const its = this.#transactions.get(idOf(each));
      const isIts = running !== undefined && (its === "unknown" || its === running.idTag);
      this.#law(isIts, `TxProfile ${idOf(each)} is there, and its transaction is not.`);
    }
    // SC-36: limits count from the same start as the bill.
    for (const { connectorId, startedAt } of chargePoint.transactions) {
      const counted = profiles.transaction(connectorId)?.startedAt;
      this.#law(counted === startedAt, `Transaction started at ${startedAt}, and its limits count from ${counted}.`);
    }
    const now = chargePoint.now();
    for (const connectorId of [0, ...profiles.connectorIds]) {
      const told = this.#told.get(connectorId);
      const limits = [now, now - lateMs].map((at) => limitAt(profiles, { connectorId, at }));
      const isTold = limits.some((is) => is.limit === told?.limit && is.numberPhases === told.numberPhases);
      this.#law(isTold, `Connector ${connectorId} may draw ${limits[0]?.limit} A, and was told ${told?.limit} A.`);
    }
  }

  /** Says that all has been well for a long time. */
  endsWell(): void {
    this.look();
    const installed = this.#on?.smartCharging.profiles.installed.map((each) => `charging-profile/${idOf(each)}`);
    const kept = this.#disk.keys("profiles");
    this.#law(
      kept.toSorted().join() === installed?.sort().join(),
      `The store has ${kept}, and there are ${installed}.`,
    );
  }

  #accepted({ chargePoint, smartCharging }: On, set: InstalledProfile, isLatest: boolean): void {
    const { installed } = smartCharging.profiles;
    const running = chargePoint.transactions.find(({ connectorId }) => connectorId === set.connectorId);
    if (isTx(set) && running !== undefined) this.#transactions.set(idOf(set), running.idTag);
    if (!isLatest || (isTx(set) && running === undefined)) return;
    this.#law(
      installed.some((each) => isSame(each, set)),
      `Profile ${idOf(set)} was accepted, and is not there.`,
    );
    const others = installed.filter((each) => replaces(set, each) && !isSame(each, set));
    this.#law(others.length === 0, `Profile ${idOf(set)} was accepted, and has not replaced ${others.map(idOf)}.`);
  }

  /** SC-09, SC-60, SC-61: only a TxProfile is refused while the disk is well. */
  #refused(set: InstalledProfile): void {
    this.#rejected.push(set);
    const explained = isTx(set) || this.#disk.failedSince(this.#clock.now() - 2 * minute);
    this.#law(explained, `Profile ${idOf(set)} was refused for no reason.`);
  }

  #isObeyed({ chargePoint, smartCharging }: On, conf: Conf<"GetCompositeSchedule">): void {
    const { chargingSchedule, connectorId = 0, status } = conf;
    this.#law(status === "Accepted", "A composite schedule was refused.");
    const { limit } = limitAt(smartCharging.profiles, { connectorId, at: chargePoint.now() });
    const first = chargingSchedule?.chargingSchedulePeriod[0]?.limit;
    this.#law(first === limit, `The composite schedule begins with ${first} A, and ${limit} A are obeyed.`);
  }

  /** SC-28: what was accepted is there, and what was not, or is over, is not. */
  #survived({ chargePoint, smartCharging }: On, { at, installed, rejected, unanswered }: Before): void {
    const found = smartCharging.profiles.installed;
    const has = (all: readonly InstalledProfile[], each: InstalledProfile) => all.some((other) => isSame(other, each));
    const sets = unanswered.filter(({ action }) => action === "SetChargingProfile").map(asSet);
    const filters = unanswered
      .filter(({ action }) => action === "ClearChargingProfile")
      .map(({ payload }) => payload as Req<"ClearChargingProfile">);
    for (const each of installed) {
      const idTag = this.#transactions.get(idOf(each));
      const runs = chargePoint.transactions.some(
        (transaction) => transaction.connectorId === each.connectorId && transaction.idTag === idTag,
      );
      // What was asked for since, and not answered, may have been for another one.
      if (isTx(each) && !runs) continue; // That is not there, `look` sees.
      const isDoubtful =
        sets.some((set) => replaces(set, each)) ||
        filters.some((filter) => clears(filter, each)) ||
        rejected.some((set) => idOf(set) === idOf(each));
      this.#law(isDoubtful || has(found, each), `Profile ${idOf(each)} was accepted, and is lost.`);
    }
    // What the disk did not forget at first, it is asked to again with each Heartbeat.
    const mayComeBack = this.#disk.failedSince(at - day - 5 * minute);
    for (const each of found) {
      // With a transaction whose end was lost, its profiles are back; so is what was about to be cleared.
      const isUnderWay = has(sets, each) || filters.some((filter) => clears(filter, each));
      const isKnown = has(installed, each) || isUnderWay || isTx(each);
      this.#law(isKnown || mayComeBack, `Profile ${idOf(each)} has come back.`);
    }
  }
}
