import type { FakeClock } from "@ocppj/testing";
import type { ChargePoint, DeadLetter, Req, Transaction } from "../../src/index.ts";
import type { Disk, Machine } from "./simulation-hardware.ts";
import type { Laws } from "./simulation-laws.ts";
import { fieldOf, withoutTimestamps } from "./simulation-payloads.ts";
import type { Charging } from "./simulation-records.ts";
import {
  type Heard,
  type KeptAction,
  minute,
  type Reaction,
  type StepThat,
  second,
  spell,
} from "./simulation-schedule.ts";
import { events } from "./vocabulary.ts";

const connectors = [1, 2, 3];
/** MessageTimeout, and a little more. */
const authorizingMs = 31 * second;
const meteredEveryMs = 10 * minute;

/** What an owner throws. */
export class OwnersFailure extends Error {}

/** A Charge Point that runs, and the computer on which it does. */
export interface Running {
  readonly power: number;
  readonly machine: Machine;
  readonly chargePoint: ChargePoint;
}

/** A car at a connector. */
interface Plugged {
  readonly charging: Charging;
  readonly transaction: Transaction;
  /** Looks at it no more. */
  readonly forget: () => void;
}

/** The program that a Charge Point is a part of: it knows of cars and drivers, and does with the API what it likes. */
export class Owner {
  readonly #clock: FakeClock;
  readonly #laws: Laws;
  readonly #disk: Disk;
  readonly #running: () => Running | undefined;
  readonly #restart: () => void;
  /** What it reports carries a number. */
  #numbers = 0;
  readonly #plugged = new Map<number, Plugged>();
  /** Connectors at which something is about to start. */
  readonly #starting = new Set<number>();
  /** It writes the next thing into the objects that it has given. */
  reusing = spell<true>();
  /** It gives starts and stops their timestamps, from a clock that is right. */
  noting = spell<true>();
  readonly #reactions = new Map<Heard, { left: number; readonly does: Reaction }>();
  /** What an earlier Charge Point gave it. */
  #former:
    | { readonly chargePoint: ChargePoint; readonly transactions: Transaction[]; readonly letters: DeadLetter[] }
    | undefined;

  /**
   * @param running - The Charge Point between the end of `start` and the call of `stop`, while its computer is awake.
   * @param restart - Stops it, and makes another.
   */
  constructor(clock: FakeClock, laws: Laws, disk: Disk, running: () => Running | undefined, restart: () => void) {
    this.#clock = clock;
    this.#laws = laws;
    this.#disk = disk;
    this.#running = running;
    this.#restart = restart;
  }

  /** The next times it hears something it does something about it. */
  willReact(to: Heard, does: Reaction, times: number): void {
    this.#reactions.set(to, { left: times, does });
  }

  calmDown(): void {
    this.#reactions.clear();
    this.reusing = spell();
    this.noting = spell();
  }

  /**
   * Listens to everything.
   *
   * @param on - Whether that is still the Charge Point that runs.
   */
  listen(chargePoint: ChargePoint, machine: Machine, on: () => boolean): void {
    const fails = (does: Reaction): boolean => does === "throw" || does === "reject";
    for (const name of events) chargePoint.on(name, () => (on() ? this.#reacts(name, fails) : undefined));
    this.#tell(chargePoint, on);
    for (const name of events)
      chargePoint.on(name, () => (on() ? this.#reacts(name, (does) => !fails(does)) : undefined));
    chargePoint.handle("UnlockConnector", async () => {
      await this.#reacts("UnlockConnector");
      await new Promise<void>((resolve) => void machine.after(3 * second, resolve));
      return { status: "Unlocked" };
    });
    chargePoint.handle("TriggerMessage", ({ requestedMessage }, { answered }) => {
      if (requestedMessage !== "MeterValues") return { status: "Rejected" };
      const req = { connectorId: 1, meterValue: [this.#reading(0)] };
      void answered.then(() => chargePoint.call("MeterValues", req).catch(() => {}));
      return { status: "Accepted" };
    });
  }

  /** Has the laws hear what is told. */
  #tell(chargePoint: ChargePoint, on: () => boolean): void {
    const laws = this.#laws;
    chargePoint.on("delivered", ({ call }) => void (on() && laws.delivered(call.action, call.req)));
    chargePoint.on("discarded", ({ call, reason, deadLetter }) => {
      if (on()) laws.discarded(call.action, call.req, reason, deadLetter);
    });
    chargePoint.on("fault", ({ error }) => void (on() && laws.fault(error)));
    chargePoint.on("violation", ({ reason }) => void (on() && laws.violation("chargePoint", reason)));
    chargePoint.on("invalidated", ({ transaction }) => {
      if (on()) this.stop(transaction.connectorId, "DeAuthorized");
    });
  }

  /** Goes on after a start: with the transactions that were interrupted, or stops them. */
  started(interrupted: readonly Transaction[], resume: boolean): void {
    this.#laws.found(this.#running()?.chargePoint.deadLetters ?? []);
    this.#laws.handedBack(interrupted.map(({ idTag }) => idTag));
    for (const connectorId of [0, ...connectors]) this.#report(connectorId, "Available");
    const resumed: (readonly [Charging, Transaction])[] = [];
    for (const transaction of interrupted) {
      const { idTag, connectorId } = transaction;
      const known = this.#laws.chargings.find((charging) => charging.idTag === idTag);
      if (known === undefined) continue;
      // A failing disk may not have taken that one was stopped.
      if (resume && known.stop === undefined) resumed.push([known, transaction]);
      else {
        this.#attend(known, transaction);
        this.stop(connectorId, "PowerLoss");
      }
    }
    for (const [charging, transaction] of resumed) this.#attend(charging, transaction);
  }

  /** Says that the Charge Point has ended. */
  switchedOff(chargePoint: ChargePoint | undefined): void {
    const plugged = [...this.#plugged.values()];
    for (const { forget } of plugged) forget();
    this.#plugged.clear();
    this.#starting.clear();
    const transactions = plugged.map(({ transaction }) => transaction);
    this.#former = chargePoint && { chargePoint, transactions, letters: [...chargePoint.deadLetters] };
  }

  /** Uses what the one of before a restart has given it, by mistake. */
  useFormer(): void {
    if (this.#former === undefined || this.#running() === undefined) return;
    const { chargePoint, transactions, letters } = this.#former;
    const number = ++this.#numbers;
    const meterValue = [this.#reading(number)];
    const req = { connectorId: 1, idTag: "former", meterStart: number };
    const attempts = [
      () => chargePoint.startTransaction(req),
      () => chargePoint.deliver("DataTransfer", { vendorId: "com.example", data: `${number}` }),
      ...transactions.flatMap((transaction) => [
        () => transaction.meterValues({ meterValue }),
        () => transaction.stop({ meterStop: number }),
      ]),
      ...letters.flatMap((letter) => [() => letter.retry(), () => letter.delete()]),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
        this.#laws.law(false, `A Charge Point that was stopped has done something: ${attempt}`);
      } catch (error) {
        this.#laws.law(error instanceof TypeError, `A Charge Point that was stopped threw ${error}.`);
      }
    }
    void Promise.allSettled([chargePoint.saved(), chargePoint.authorize("former"), chargePoint.stop()]);
    this.#clock.wakeAt(this.#clock.now() + minute, () => {
      const traces = (["StartTransaction", "MeterValues", "StopTransaction", "DataTransfer"] as const).filter(
        (action) => this.#disk.has(fieldOf(action, number)),
      );
      this.#laws.law(traces.length === 0, `A Charge Point that was stopped has written ${traces.join(", ")}.`);
    });
  }

  plugIn({ connector: connectorId, idTag, forS }: Pick<StepThat<"plug in">, "connector" | "idTag" | "forS">): void {
    this.#look();
    const running = this.#running();
    if (running === undefined || this.#plugged.has(connectorId) || this.#starting.has(connectorId)) return;
    const number = ++this.#numbers;
    const now = this.#clock.now();
    const charging: Charging = {
      connectorId,
      idTag: `${idTag} ${number}`,
      startedAt: now,
      leavesAt: now + forS * second,
      power: running.power,
      transactionId: undefined,
      identifiedAt: Number.NaN,
      stop: undefined,
    };
    const payload = { connectorId, idTag: charging.idTag, meterStart: number };
    const noted = this.#noted();
    this.#laws.reports(number, "StartTransaction", charging, payload, noted);
    this.#starting.add(connectorId);
    try {
      const transaction = this.#give({ ...payload, ...timestampOf(noted) }, (req) =>
        running.chargePoint.startTransaction(req),
      );
      this.#laws.hasReported(number);
      // What was sent at once was heard of, and a listener may have ended it all.
      if (this.#running() !== running) return;
      this.#attend(charging, transaction);
      this.#report(connectorId, "Charging");
    } catch (error) {
      this.#laws.refused(number, error);
    } finally {
      this.#starting.delete(connectorId);
    }
  }

  stop(connectorId: number, reason: "EVDisconnected" | "DeAuthorized" | "PowerLoss"): void {
    this.#look();
    const plugged = this.#plugged.get(connectorId);
    if (plugged === undefined || this.#running() === undefined) return;
    const { charging, transaction, forget } = plugged;
    forget();
    this.#plugged.delete(connectorId);
    const number = ++this.#numbers;
    const stop = { meterStop: number, reason, transactionData: [this.#reading(number)] };
    const noted = this.#noted();
    this.#laws.reports(number, "StopTransaction", charging, withoutTimestamps(stop).content, noted);
    this.#give({ ...stop, ...timestampOf(noted) }, (req) => transaction.stop(req));
    this.#laws.hasReported(number);
    this.#report(connectorId, "Available");
  }

  deliver(action: KeptAction): void {
    this.#look();
    const chargePoint = this.#running()?.chargePoint;
    if (chargePoint === undefined) return;
    const number = ++this.#numbers;
    const payload =
      action === "DataTransfer"
        ? { vendorId: "com.example", data: `${number}` }
        : { type: "SettingSystemTime", techInfo: `${number}` };
    this.#laws.reports(number, action, undefined, payload);
    this.#give(payload, (req) => chargePoint.deliver(action as "DataTransfer", req as Req<"DataTransfer">));
    this.#laws.hasReported(number);
  }

  call(): void {
    const expected = ["NotAcceptedError", "ConnectionClosedError", "CallTimeoutError", "PayloadError"];
    this.#running()
      ?.chargePoint.call("DataTransfer", { vendorId: "com.example" })
      .catch((error) => {
        // A Central System that has lost its memory refuses it, and so does one that fails.
        const refusals = ["SecurityError", "InternalError", "NotSupported"];
        const explained = expected.includes(error.name) || refusals.includes(error.code);
        this.#laws.law(explained, `call rejected with ${error}.`);
      });
  }

  /** CORE-LAO-01: there is a decision in time, whoever answers or does not. */
  #authorize(): void {
    const { chargePoint, machine } = this.#running() ?? {};
    let decided = false;
    void chargePoint?.authorize("known").then(() => {
      decided = true;
    });
    machine?.after(authorizingMs, () => this.#laws.law(decided, "authorize() has not resolved in time."));
  }

  lookThroughDeadLetters(what: "retry" | "delete"): void {
    for (const letter of this.#running()?.chargePoint.deadLetters ?? []) {
      this.#laws.decides(letter, what);
      letter[what]();
    }
  }

  /** Meters a transaction and ends it when the car leaves. */
  #attend(charging: Charging, transaction: Transaction): void {
    const { connectorId, leavesAt } = charging;
    const { machine } = this.#running() as Running;
    let forget = (): void => {};
    const attend = (): void => {
      const leftMs = Math.max(0, leavesAt - this.#clock.now());
      forget = machine.after(Math.min(leftMs, meteredEveryMs), () => {
        if (this.#clock.now() >= leavesAt) this.stop(connectorId, "EVDisconnected");
        else {
          attend();
          this.#meter(charging, transaction);
        }
      });
    };
    attend();
    this.#plugged.set(connectorId, { charging, transaction, forget: () => forget() });
  }

  #meter(charging: Charging, transaction: Transaction): void {
    this.#look();
    if (this.#plugged.get(charging.connectorId)?.transaction !== transaction) return;
    if (this.#running() === undefined) return;
    const number = ++this.#numbers;
    const meterValue = [this.#reading(number)];
    const { content } = withoutTimestamps({ connectorId: charging.connectorId, meterValue });
    this.#laws.reports(number, "MeterValues", charging, content);
    this.#give({ meterValue }, (req) => transaction.meterValues(req));
    this.#laws.hasReported(number);
  }

  /** Looks at the clock: that it has jumped is told at once, before what is reported next, and a listener may do anything. */
  #look(): void {
    this.#running()?.chargePoint.now();
  }

  #reading(value: number): Req<"MeterValues">["meterValue"][number] {
    const now = this.#running()?.chargePoint.now() ?? this.#clock.now();
    return { timestamp: new Date(now).toISOString(), sampledValue: [{ value: `${value}` }] };
  }

  #report(connectorId: number, status: "Available" | "Charging"): void {
    this.#look();
    const chargePoint = this.#running()?.chargePoint;
    if (chargePoint === undefined) return;
    const number = ++this.#numbers;
    this.#laws.statusReported(connectorId, number);
    this.#give({ connectorId, status, info: `${number}` }, (req) => chargePoint.report(req));
  }

  #noted(): number | undefined {
    return this.noting.at(this.#clock.now()) && this.#clock.now();
  }

  /** Gives an object away, and perhaps writes something else into it as soon as it has it back. */
  #give<Payload extends object, Result>(payload: Payload, use: (payload: Payload) => Result): Result {
    const given = structuredClone(payload);
    try {
      return use(given);
    } finally {
      if (this.reusing.at(this.#clock.now())) overwrite(given as Record<string, unknown>);
    }
  }

  /** Does what it was about to do when it heard this, if it is of that kind. */
  #reacts(to: Heard, kind: (does: Reaction) => boolean = () => true): unknown {
    const reaction = this.#reactions.get(to);
    if (reaction === undefined || reaction.left === 0 || !kind(reaction.does)) return undefined;
    reaction.left--;
    this.#laws.say(`owner: hears ${to}: ${reaction.does}`);
    const running = this.#running();
    const [connector] = this.#plugged.keys();
    const free = connectors.find((each) => !this.#plugged.has(each));
    switch (reaction.does) {
      case "throw":
        throw new OwnersFailure(`in a listener of ${to}`);
      case "reject":
        return Promise.reject(new OwnersFailure(`in a listener of ${to}`));
      case "start":
        if (free !== undefined) this.plugIn({ connector: free, idTag: "known", forS: 100 });
        break;
      case "stop":
        if (connector !== undefined) this.stop(connector, "EVDisconnected");
        break;
      case "meter": {
        const plugged = this.#plugged.get(connector ?? 0);
        if (plugged !== undefined) this.#meter(plugged.charging, plugged.transaction);
        break;
      }
      case "report":
        this.#report(0, "Available");
        break;
      case "deliver":
        this.deliver("DataTransfer");
        break;
      case "call":
        this.call();
        break;
      case "authorize":
        this.#authorize();
        break;
      case "save":
        running?.chargePoint.saved().catch(() => {});
        break;
      case "retry":
        this.lookThroughDeadLetters("retry");
        break;
      case "restart":
        this.#restart();
        break;
    }
    return undefined;
  }
}

const timestampOf = (time: number | undefined): { readonly timestamp?: string } =>
  time === undefined ? {} : { timestamp: new Date(time).toISOString() };

function overwrite(object: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === "object" && value !== null) overwrite(value as Record<string, unknown>);
    else object[key] = typeof value === "string" ? "something else" : -1;
  }
}
