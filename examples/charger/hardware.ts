/** How fast a car charges here, in W. */
export const maxPower = 7200;

/** One connector: what a real charger would read from pins and write to relays. */
export interface Connector {
  readonly id: number;
  plugged: boolean;
  faulted: boolean;
  /** Whether the cable is held. */
  locked: boolean;
  /** Whether the contactor is closed. */
  closed: boolean;
  /** What the car is offered, in W. */
  limit: number;
  /** The meter's register, in Wh. */
  register: number;
}

/** A pretended charger with a meter and a contactor for each connector. */
export class Hardware {
  readonly connectors: readonly Connector[];

  constructor(connectors: number) {
    this.connectors = Array.from({ length: connectors }, (_, index) => ({
      id: index + 1,
      plugged: false,
      faulted: false,
      locked: false,
      closed: false,
      limit: maxPower,
      register: 1000 * (index + 1),
    }));
  }

  /** Lets time pass: energy flows where the contactor is closed and a car is plugged in. */
  elapse(seconds: number): void {
    for (const connector of this.connectors) {
      connector.register += (this.powerOf(connector) * seconds) / 3600;
    }
  }

  /** What flows through a connector, in W. */
  powerOf({ closed, faulted, limit, plugged }: Connector): number {
    return closed && plugged && !faulted ? Math.min(maxPower, limit) : 0;
  }
}
