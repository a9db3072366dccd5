import { type FakeClock, type LinkedTransport, transportPair } from "@ocppj/testing";
import {
  type AbortSignalLike,
  type ConnectTarget,
  HandshakeError,
  type Transport,
  type TransportListener,
} from "../../src/index.ts";
import type { SimulatedCentralSystem } from "./simulation-central-system.ts";
import type { Machine } from "./simulation-hardware.ts";
import type { Laws } from "./simulation-laws.ts";
import { Wire } from "./simulation-records.ts";
import { second, spell } from "./simulation-schedule.ts";

/** An attempt that takes longer than this is given up: the Charge Point waits two minutes. */
const lateMs = 200 * second;

/** A connection, and what passes over it. */
interface Link {
  readonly wire: Wire;
  readonly chargePoint: LinkedTransport;
  readonly centralSystem: LinkedTransport;
}

/** What lies between a Charge Point and its Central System, and its moods. The laws see everything that passes. */
export class SimulatedNetwork {
  readonly #clock: FakeClock;
  readonly #laws: Laws;
  readonly #centralSystem: SimulatedCentralSystem;
  #links = 0;
  /** What has reached the Charge Point while its computer slept. */
  readonly #unheard: (() => void)[] = [];
  #link: Link | undefined;
  latencyMs = 37;
  refusing = spell<true>();
  connectingS = spell<number>();
  connectingBadly = spell<"throws" | "gives nothing" | "never ends" | "is late">();
  /** The attempt to connect that is under way. */
  #attempt: object | undefined;
  /** Which frame the connection will not survive. */
  #losing: { readonly frame: "CALL" | "answer"; left: number } | undefined;

  constructor(clock: FakeClock, laws: Laws, centralSystem: SimulatedCentralSystem) {
    this.#clock = clock;
    this.#laws = laws;
    this.#centralSystem = centralSystem;
  }

  /**
   * Connects a Charge Point.
   *
   * @param powered - Whether it still has power: if not, it hears and says nothing any more.
   */
  connect(
    { signal }: ConnectTarget & { readonly signal?: AbortSignalLike },
    machine: Machine,
    powered: () => boolean,
  ): Promise<Transport> {
    this.#laws.connecting();
    const bad = this.connectingBadly.at(this.#clock.now());
    const attempt = {};
    this.#attempt = attempt;
    const isWanted = (): boolean => this.#attempt === attempt && powered();
    if (bad === "throws" || bad === "gives nothing") this.#laws.notConnected();
    if (bad === "throws") throw new TypeError("connect throws.");
    if (bad === "gives nothing") return Promise.resolve(undefined as never);
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => {
        if (!isWanted()) return;
        this.#attempt = undefined;
        this.#laws.notConnected();
        if (bad === undefined) reject(signal.reason);
      });
      if (bad === "never ends") return;
      const connectingMs = bad === "is late" ? lateMs : (this.connectingS.at(this.#clock.now()) ?? 0.05) * second;
      machine.after(connectingMs, () => {
        if (isWanted()) this.#open(machine, powered).then(resolve, reject);
        else if (bad === "is late") resolve(this.#unwanted());
      });
    });
  }

  /** A connection that comes long after the attempt was given up: all that may be done with it is to close it. */
  #unwanted(): Transport {
    const used = (): void => this.#laws.law(false, "A connection is used whose attempt was given up.");
    return { listen: used, send: used, close: () => {} };
  }

  async #open(machine: Machine, powered: () => boolean): Promise<Transport> {
    this.#attempt = undefined;
    if (this.refusing.at(this.#clock.now())) {
      this.#laws.notConnected();
      throw new HandshakeError("network", "Nobody is there.", { url: "" });
    }
    const pair = transportPair(this.#clock, { latencyMs: () => this.latencyMs, sentLimit: 0 });
    const link = { ...pair, wire: new Wire(++this.#links) };
    this.#link = link;
    this.#laws.wireOpened(link.wire);
    this.#centralSystem.accept(this.#endOfTheCentralSystem(link));
    return this.#endOfTheChargePoint(link, machine, powered);
  }

  /** Ends the connection so that both ends hear of it. */
  drop(): void {
    this.#link?.chargePoint.drop();
  }

  /** Has the Central System close the connection. */
  close(): void {
    this.#link?.centralSystem.close(1001, "going away");
  }

  /** Loses from now on what these ends send. */
  mute(ends: "chargePoint" | "centralSystem" | "both"): void {
    if (ends !== "centralSystem") this.#link?.chargePoint.mute();
    if (ends !== "chargePoint") this.#link?.centralSystem.mute();
  }

  /** Says that the Charge Point's computer is awake again: what it could not hear meanwhile, it hears now. */
  wake(): void {
    const hearNext = (): void => {
      this.#unheard.shift()?.();
      if (this.#unheard.length > 0) this.#clock.wakeAt(this.#clock.now(), hearNext);
    };
    if (this.#unheard.length > 0) this.#clock.wakeAt(this.#clock.now(), hearNext);
  }

  lose(frame: "CALL" | "answer", nth: number): void {
    this.#losing = { frame, left: nth };
  }

  calmDown(): void {
    this.refusing = spell();
    this.connectingS = spell();
    this.connectingBadly = spell();
    this.#losing = undefined;
  }

  #endOfTheChargePoint(
    { wire, chargePoint, centralSystem }: Link,
    machine: Machine,
    powered: () => boolean,
  ): Transport {
    const laws = this.#laws;
    /** Hears of it now, or when it wakes up. */
    const hears = (hear: () => void): void => {
      if (!powered()) return;
      if (machine.asleep || this.#unheard.length > 0) this.#unheard.push(() => powered() && hear());
      else hear();
    };
    return {
      listen: (listener: TransportListener) =>
        chargePoint.listen({
          message: (text) =>
            hears(() => {
              laws.chargePointReceived(wire, text);
              listener.message(text);
            }),
          close: (code, reason) =>
            hears(() => {
              laws.say(`link ${wire.number} has closed with ${code}`);
              laws.wireEnded(wire);
              listener.close(code, reason);
            }),
        }),
      send: (text) => {
        if (!powered()) return;
        laws.chargePointSent(wire, text);
        if (text.startsWith("[2") && this.#loses("CALL")) {
          chargePoint.mute();
          chargePoint.drop();
          centralSystem.drop();
        } else chargePoint.send(text);
      },
      close: (code, reason) => {
        if (!powered()) return;
        laws.say(`chargePoint: closes link ${wire.number}: ${reason}`);
        laws.wireEnded(wire);
        chargePoint.close(code, reason);
      },
    };
  }

  #endOfTheCentralSystem({ wire, chargePoint, centralSystem }: Link): Transport {
    const laws = this.#laws;
    /** The actions of the Charge Point's CALLs, by message id. */
    const actions = new Map<string, string>();
    const silence = () => this.#centralSystem.silence.at(this.#clock.now());
    return {
      listen: (listener: TransportListener) =>
        centralSystem.listen({
          message: (text) => {
            if (silence() === "everything") return;
            const [type, messageId, action] = JSON.parse(text);
            if (type === 2) actions.set(messageId, action);
            laws.centralSystemReceived(wire, text);
            listener.message(text);
          },
          close: (code, reason) => listener.close(code, reason),
        }),
      send: (text) => {
        if (silence() === "everything" || (silence() === "answers" && !text.startsWith("[2"))) return;
        laws.centralSystemSent(wire, text);
        if (text.startsWith("[2")) centralSystem.send(text);
        else if (this.#loses("answer")) {
          centralSystem.mute();
          chargePoint.drop();
        } else {
          const action = actions.get(JSON.parse(text)[1]) as string;
          for (const each of this.#centralSystem.distorted(action, text)) centralSystem.send(each);
        }
      },
      close: (code, reason) => centralSystem.close(code, reason),
    };
  }

  #loses(frame: "CALL" | "answer"): boolean {
    if (this.#losing?.frame !== frame || --this.#losing.left > 0) return false;
    this.#losing = undefined;
    return true;
  }
}
