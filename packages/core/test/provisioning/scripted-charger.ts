import { FakeClock, type TransportPair, transportPair } from "@ocppj/testing";
import { CallError, type Conf, Connection, type KnownIdTag, type Req } from "../../src/index.ts";

/** How a charger treats a key. */
export interface ScriptedKey {
  value: string;
  readonly?: boolean;
  /** `lies`: it answers Accepted and keeps the old value. `hidden`: it never tells the key. `mute`: no answer to a change. */
  readonly treats?: "Rejected" | "RebootRequired" | "lies" | "hidden" | "CALLERROR" | "mute";
}

/** What becomes of the next SendLocalList. */
export type ListFault = "Failed" | "VersionMismatch" | "CALLERROR" | "lost" | "unanswered";

/** A charger that answers as its script says, and the connection to it. */
export class ScriptedCharger {
  readonly clock = new FakeClock();
  readonly keys = new Map<string, ScriptedKey>();
  /** How many keys it answers at once; what it does beyond that. */
  maxKeys = Number.POSITIVE_INFINITY;
  beyond: "CALLERROR" | "first" = "first";
  readonly list = new Map<string, KnownIdTag>();
  listVersion = 0;
  readonly listFaults: (ListFault | undefined)[] = [];
  sendLocalListMaxLength = 10;
  localAuthListMaxLength = 100;
  longestList = 0;
  readonly received: [action: string, req: unknown][] = [];
  /** After how many CALLs the connection is lost: before the last one is answered. */
  losesAfter = Number.POSITIVE_INFINITY;
  link!: TransportPair;
  connection!: Connection<"CentralSystem">;

  constructor() {
    this.connect();
  }

  connect(): void {
    this.link = transportPair(this.clock, { latencyMs: 10 });
    this.connection = new Connection(this.link.centralSystem, {
      role: "CentralSystem",
      identity: "CP001",
      clock: this.clock,
      timeoutMs: 1000,
    });
    const charger = new Connection(this.link.chargePoint, {
      role: "ChargePoint",
      identity: "CP001",
      clock: this.clock,
    });
    const { link } = this;
    charger.on("message", ({ direction, frame }) => {
      if (direction !== "in" || frame.type !== "CALL") return;
      this.received.push([frame.action, frame.payload]);
      if (--this.losesAfter <= 0) link.chargePoint.drop();
    });
    charger.handle("GetConfiguration", (req) => this.#getConfiguration(req));
    charger.handle("ChangeConfiguration", (req) => this.#changeConfiguration(req));
    charger.handle("GetLocalListVersion", () => ({ listVersion: this.listVersion }));
    charger.handle("SendLocalList", (req) => this.#sendLocalList(req));
  }

  /** What a promise settles with, or the error that it rejects with. */
  async outcome<Result>(promise: Promise<Result>): Promise<Result | Error> {
    let outcome: Result | Error | "pending" = "pending";
    promise.then(
      (result) => {
        outcome = result;
      },
      (error: Error) => {
        outcome = error;
      },
    );
    await this.clock.advance(600_000);
    if (outcome === "pending") throw new Error("It never settles.");
    return outcome as Result | Error;
  }

  /** The payloads of the CALLs of one action. */
  of<Payload>(action: string): Payload[] {
    return this.received.filter(([received]) => received === action).map(([, req]) => req as Payload);
  }

  #getConfiguration({ key: asked = [] }: Req<"GetConfiguration">): Conf<"GetConfiguration"> {
    if (asked.length > this.maxKeys && this.beyond === "CALLERROR") throw new CallError("OccurenceConstraintViolation");
    const conf = {
      configurationKey: [] as { key: string; readonly: boolean; value: string }[],
      unknownKey: [] as string[],
    };
    for (const key of asked.slice(0, this.maxKeys)) {
      const found = [...this.keys].find(([name]) => name.toLowerCase() === key.toLowerCase());
      if (found === undefined) conf.unknownKey.push(key);
      else if (found[1].treats !== "hidden") {
        conf.configurationKey.push({ key: found[0], readonly: found[1].readonly ?? false, value: found[1].value });
      }
    }
    return conf;
  }

  #changeConfiguration({ key, value }: Req<"ChangeConfiguration">): Conf<"ChangeConfiguration"> | Promise<never> {
    const known = this.keys.get(key);
    if (known === undefined) return { status: "NotSupported" };
    const { readonly, treats } = known;
    if (readonly || treats === "Rejected") return { status: "Rejected" };
    if (treats === "CALLERROR") throw new CallError("InternalError");
    if (treats === "RebootRequired") return { status: treats };
    if (treats === "lies") return { status: "Accepted" };
    known.value = value;
    return treats === "mute" ? new Promise<never>(() => {}) : { status: "Accepted" };
  }

  #sendLocalList(req: Req<"SendLocalList">): Conf<"SendLocalList"> | Promise<never> {
    const { listVersion, localAuthorizationList = [], updateType } = req;
    const fault = this.listFaults.shift();
    if (fault === "Failed" || fault === "VersionMismatch") return { status: fault };
    if (fault === "CALLERROR" || localAuthorizationList.length > this.sendLocalListMaxLength) {
      throw new CallError("OccurenceConstraintViolation");
    }
    if (fault === "lost") {
      this.link.chargePoint.drop();
      return { status: "Failed" };
    }
    if (updateType === "Differential" && listVersion <= this.listVersion) return { status: "VersionMismatch" };
    if (updateType === "Full") this.list.clear();
    for (const { idTag, idTagInfo } of localAuthorizationList) {
      this.list.delete(idTag.toLowerCase());
      if (idTagInfo !== undefined) this.list.set(idTag.toLowerCase(), { idTag, idTagInfo });
    }
    this.longestList = Math.max(this.longestList, this.list.size);
    this.listVersion = this.list.size === 0 ? 0 : listVersion;
    if (fault !== "unanswered") return { status: "Accepted" };
    this.link.chargePoint.drop();
    return new Promise<never>(() => {});
  }
}
