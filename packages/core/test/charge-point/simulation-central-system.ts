import type { FakeClock } from "@ocppj/testing";
import {
  CallError,
  CentralSystem,
  type Conf,
  type RegistrationStatus,
  type Req,
  type Transport,
} from "../../src/index.ts";
import type { Laws } from "./simulation-laws.ts";
import { chargingProfileOf } from "./simulation-profiles.ts";
import { type Nonsense, type SetProfile, type StepThat, second, spell } from "./simulation-schedule.ts";

const identity = "CP001";

type CentralSystemCall =
  | "TriggerMessage"
  | "UnlockConnector"
  | "SetChargingProfile"
  | "ClearChargingProfile"
  | "GetCompositeSchedule";

/** The Central System, its moods, and what survives its restarts. */
export class SimulatedCentralSystem {
  readonly #clock: FakeClock;
  readonly #laws: Laws;
  #centralSystem: CentralSystem;
  /** Those before it, too. */
  readonly #all: CentralSystem[] = [];
  #transactionIds = 1000;
  /** By connector. */
  readonly #latestIds = new Map<number, number>();
  /** Outlives a restart, as a database does, unless that is lost, too. */
  readonly #registrations = new Map<string, RegistrationStatus>();
  /** What the next Accepted asks for. */
  heartbeatS = 3600;
  registration = spell<Pick<Conf<"BootNotification">, "status" | "interval">>();
  slowness = spell<number>();
  silence = spell<"answers" | "everything">();
  /** What the next answers will tell in place of the time, given the right one. */
  #wrongTimes = { left: 0, wrong: (time: number): unknown => time };
  /** How often an action will be left unanswered, be answered with a CALLERROR, or with nonsense. */
  readonly ignoring = new Map<string, number>();
  readonly failing = new Map<string, number>();
  readonly notSupported = new Map<string, number>();
  readonly nonsense = new Map<string, { left: number; readonly kind: Nonsense }>();

  constructor(clock: FakeClock, laws: Laws) {
    this.#clock = clock;
    this.#laws = laws;
    this.#centralSystem = this.#started();
  }

  /** Forgets its connections. */
  /** @param forgets - Whom it has accepted. */
  restart(forgets: boolean): void {
    if (forgets) this.#registrations.clear();
    this.#centralSystem = this.#started();
  }

  /** Ends all handlers that are still silent, also those of connections that nobody has found out to be gone. */
  end(): void {
    for (const centralSystem of this.#all) centralSystem.close();
  }

  calmDown(): void {
    this.registration = spell();
    this.slowness = spell();
    this.silence = spell();
    this.#wrongTimes.left = 0;
    for (const trouble of [this.ignoring, this.failing, this.notSupported, this.nonsense]) trouble.clear();
  }

  accept(transport: Transport): void {
    this.#centralSystem.accept(transport, identity);
  }

  setProfile(set: SetProfile): void {
    const transactionId = set.named ? this.#latestIds.get(set.connector) : undefined;
    const now = this.#clock.now() + this.#laws.centralOffsetMs;
    const { connectorId, profile } = chargingProfileOf(set, now, transactionId);
    this.call("SetChargingProfile", { connectorId, csChargingProfiles: profile });
  }

  clearProfiles({ by, value }: StepThat<"clear profiles">): void {
    const field = { id: "id", connector: "connectorId", level: "stackLevel", nothing: undefined }[by];
    this.call("ClearChargingProfile", field === undefined ? {} : { [field]: value });
  }

  call<A extends CentralSystemCall>(action: A, req: Req<A>): void {
    const expected = ["ConnectionClosedError", "CallTimeoutError", "NotAcceptedError", "CallError"];
    this.#centralSystem
      .get(identity)
      ?.call(action, req)
      .catch((error) => this.#laws.law(expected.includes(error.name), `${action} was answered with ${error}.`));
  }

  /** What is sent in place of an answer to a CALL with this action. */
  distorted(action: string, text: string): readonly string[] {
    const [type, messageId, payload] = JSON.parse(text);
    if (type === 3 && "currentTime" in payload && this.#wrongTimes.left-- > 0) {
      const currentTime = this.#wrongTimes.wrong(Date.parse(payload.currentTime));
      return [JSON.stringify([3, messageId, { ...payload, currentTime }])];
    }
    const nonsense = this.nonsense.get(action);
    if (type !== 3 || nonsense === undefined || nonsense.left-- <= 0) return [text];
    const ofStart: readonly Nonsense[] = ["expiryDate null", "no idTagInfo", "id as text"];
    if (ofStart.includes(nonsense.kind) && action !== "StartTransaction") return [text];
    switch (nonsense.kind) {
      case "payload":
        return [JSON.stringify([3, messageId, { nonsense: true }])];
      case "text":
        return [text.slice(0, -2)];
      case "id":
        return [JSON.stringify([3, "somebody else's", {}])];
      case "twice":
        return [text, text];
      case "one field more":
        return [JSON.stringify([3, messageId, { ...payload, vendorId: "com.example" }])];
      case "expiryDate null":
        return [JSON.stringify([3, messageId, { ...payload, idTagInfo: { ...payload.idTagInfo, expiryDate: null } }])];
      case "no idTagInfo":
        return [JSON.stringify([3, messageId, { ...payload, idTagInfo: undefined }])];
      case "id as text":
        return [JSON.stringify([3, messageId, { ...payload, transactionId: `${payload.transactionId}` }])];
    }
  }

  tellTheTimeWrongly(times: number, wrong: (time: number) => unknown): void {
    this.#wrongTimes = { left: times, wrong };
  }

  #started(): CentralSystem {
    const laws = this.#laws;
    const centralSystem = new CentralSystem({
      clock: this.#clock,
      registrations: this.#registrations,
      handlerTimeoutMs: 2 ** 40, // What is silent here stays so.
    });
    this.#all.push(centralSystem);
    centralSystem.on("fault", ({ error }) => laws.law(false, `A fault of the Central System: ${error}`));
    centralSystem.on("violation", ({ reason }) => laws.violation("centralSystem", reason));
    const told = (): { currentTime: string } => ({
      currentTime: new Date(this.#clock.now() + laws.centralOffsetMs).toISOString(),
    });
    centralSystem.handle("BootNotification", () =>
      this.#answer("BootNotification", () => ({
        ...(this.registration.at(this.#clock.now()) ?? { status: "Accepted", interval: this.heartbeatS }),
        ...told(),
      })),
    );
    centralSystem.handle("Heartbeat", () => this.#answer("Heartbeat", told));
    centralSystem.handle("StatusNotification", () => this.#answer("StatusNotification", () => ({})));
    centralSystem.handle("DataTransfer", () => this.#answer("DataTransfer", () => ({ status: "Accepted" })));
    centralSystem.handle("SecurityEventNotification", () => this.#answer("SecurityEventNotification", () => ({})));
    centralSystem.handle("Authorize", () => ({ idTagInfo: { status: "Accepted" } }));
    centralSystem.handle("MeterValues", () => this.#answer("MeterValues", () => ({})));
    centralSystem.handle("StopTransaction", () => this.#answer("StopTransaction", () => ({})));
    centralSystem.handle("StartTransaction", ({ connectorId, idTag }) =>
      this.#answer("StartTransaction", () => {
        const transactionId = ++this.#transactionIds;
        this.#latestIds.set(connectorId, transactionId);
        return { transactionId, idTagInfo: { status: idTag.startsWith("known") ? "Accepted" : "Invalid" } };
      }),
    );
    return centralSystem;
  }

  async #answer<Answer>(action: string, answer: () => Answer): Promise<Answer> {
    if (counted(this.ignoring, action)) return new Promise(() => {});
    const now = this.#clock.now();
    const slowS = this.slowness.at(now);
    if (slowS !== undefined) await new Promise<void>((done) => void this.#clock.wakeAt(now + slowS * second, done));
    if (counted(this.notSupported, action)) throw new CallError("NotSupported");
    if (counted(this.failing, action)) throw new CallError("InternalError");
    return answer();
  }
}

/** Whether there is one left, which is then taken. */
function counted(left: Map<string, number>, action: string): boolean {
  const number = left.get(action) ?? 0;
  if (number > 0) left.set(action, number - 1);
  return number > 0;
}
