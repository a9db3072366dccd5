import { FakeClock, type TransportPair, transportPair } from "@ocppj/testing";
import {
  CentralSystem,
  ChargePoint,
  type ChargePointEvents,
  type ChargePointOptions,
  type Conf,
  type Frame,
  HandshakeError,
} from "../../src/index.ts";
import { events } from "./vocabulary.ts";

type Registration = Conf<"BootNotification">["status"];

/** What the Central System of a {@link Site} does; a test changes it as it goes. */
export interface Behaviour {
  /** Whether connections come about. */
  reachable: boolean;
  registration: Registration;
  /** In seconds, for BootNotification.conf. */
  interval: number;
  /** What the Central System's clock is ahead by, in milliseconds. */
  aheadMs: number;
}

/** A Charge Point and its Central System on one fake clock, with everything that happens written down. */
export class Site {
  readonly clock: FakeClock;
  readonly behaviour: Behaviour = { reachable: true, registration: "Accepted", interval: 300, aheadMs: 0 };
  /** What the Central System remembers of whom it has accepted. */
  readonly registrations = new Map<string, Registration>();
  readonly centralSystem: CentralSystem;
  readonly chargePoint: ChargePoint;
  readonly links: TransportPair[] = [];
  /** Events of the Charge Point, except those of every frame and every CALL: `message`, `finished`. */
  readonly events: { readonly name: keyof ChargePointEvents; readonly event: unknown; readonly at: number }[] = [];
  /** The CALLs that have arrived at the Central System: action and payload. */
  readonly received: [action: string, payload: unknown][] = [];
  /** Every frame at the Charge Point's end. */
  readonly frames: { readonly direction: "in" | "out"; readonly frame: Frame; readonly at: number }[] = [];

  constructor(options: Partial<ChargePointOptions> = {}, clock = new FakeClock()) {
    this.clock = clock;
    this.centralSystem = new CentralSystem({
      clock,
      registrations: this.registrations,
      handlerTimeoutMs: 2 ** 40, // What is silent here stays so.
    });
    const { behaviour, centralSystem } = this;
    this.chargePoint = new ChargePoint({
      identity: "CP001",
      url: "ws://central.example.com/ocpp",
      boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
      clock,
      random: () => 0,
      connect: async ({ url, identity }) => {
        if (!behaviour.reachable) throw new HandshakeError("network", "Nobody is there.", { url });
        const link = transportPair(clock);
        this.links.push(link);
        centralSystem.accept(link.centralSystem, identity);
        return link.chargePoint;
      },
      ...options,
    });
    for (const name of events) {
      if (name === "message" || name === "finished") continue;
      this.chargePoint.on(name, (event: unknown) => void this.events.push({ name, event, at: clock.now() }));
    }
    this.chargePoint.on("message", ({ direction, frame }) => this.frames.push({ direction, frame, at: clock.now() }));
    centralSystem.on("message", ({ direction, frame }) => {
      if (direction === "in" && frame.type === "CALL") this.received.push([frame.action, frame.payload]);
    });
    centralSystem.handle("BootNotification", () => ({
      status: behaviour.registration,
      interval: behaviour.interval,
      currentTime: this.centralTime(),
    }));
    centralSystem.handle("Heartbeat", () => ({ currentTime: this.centralTime() }));
    centralSystem.handle("StatusNotification", () => ({}));
    centralSystem.handle("Authorize", () => ({ idTagInfo: { status: "Accepted" } }));
  }

  centralTime(): string {
    return new Date(this.clock.now() + this.behaviour.aheadMs).toISOString();
  }

  /** The link of the present connection. */
  get link(): TransportPair {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("There is no connection yet.");
    return link;
  }

  /** The actions that have arrived at the Central System. */
  get actions(): string[] {
    return this.received.map(([action]) => action);
  }

  /** What an event of the Charge Point said each time. */
  said<E extends keyof ChargePointEvents>(name: E): ChargePointEvents[E][0][] {
    return this.events.filter((event) => event.name === name).map(({ event }) => event as ChargePointEvents[E][0]);
  }

  /** Starts the Charge Point and lets it connect and register. */
  async start(): Promise<void> {
    const started = this.chargePoint.start();
    await this.clock.advance(0);
    await started;
    await this.clock.advance(0);
  }
}
