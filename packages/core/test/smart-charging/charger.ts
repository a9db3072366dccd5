import { FakeClock } from "@ocppj/testing";
import {
  type ChargingProfile,
  type LimitChange,
  memoryStore,
  type RecordStore,
  SmartCharging,
  type SmartChargingOptions,
} from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { inFull, type ProfileInShort } from "./worked-examples.ts";

/** What each of its two connectors can deliver. */
const maximum = { limit: 32, unit: "A" } as const;
export const second = 1000;

/** A Charge Point with smart charging and its Central System, which gives every transaction the id 7. */
export async function charger(store: RecordStore = memoryStore(), options: Partial<SmartChargingOptions> = {}) {
  const faults: Error[] = [];
  const report = (fault: Error): void => void faults.push(fault);
  const clock = new FakeClock();
  const connectors = { 1: maximum, 2: maximum };
  const smartCharging = await SmartCharging.load(store, { connectors, report, clock, ...options });
  const site = new Site({ smartCharging, store }, clock);
  site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
  site.centralSystem.handle("StopTransaction", () => ({}));
  return { site, smartCharging, faults, store };
}

export type Charger = Awaited<ReturnType<typeof charger>>;

/** What the Central System is answered. */
async function ask<T>({ site }: Charger, call: () => Promise<T> | undefined): Promise<T | undefined> {
  const answer = call();
  answer?.catch(() => {}); // It may be refused before anybody waits for it.
  await site.clock.advance(0);
  return answer;
}

const inShort: ProfileInShort = { at: 1, id: 1, purpose: "TxDefaultProfile", kind: "Absolute", periods: "0:16" };
export const profile = (more: Partial<ProfileInShort> = {}): ChargingProfile => inFull({ ...inShort, ...more });
export const set = (on: Charger, more: Partial<ProfileInShort> = {}) =>
  ask(on, () =>
    on.site.centralSystem
      .get("CP001")
      ?.call("SetChargingProfile", { connectorId: more.at ?? 1, csChargingProfiles: profile(more) }),
  );
export const clear = (on: Charger, filter: object) =>
  ask(on, () => on.site.centralSystem.get("CP001")?.call("ClearChargingProfile", filter));
export const composite = (on: Charger, req: object = {}) =>
  ask(on, () =>
    on.site.centralSystem.get("CP001")?.call("GetCompositeSchedule", { connectorId: 1, duration: 300, ...req }),
  );
/** What was told of each connector, in order. */
export const limits = ({ site }: Charger) =>
  (site.said("limit") as LimitChange[]).map(({ connectorId, limit }) => [connectorId, limit]);
