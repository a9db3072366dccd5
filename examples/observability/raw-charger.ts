import { CentralSystem, type CentralSystemOptions } from "@ocppj/core";
import { FakeClock, type LinkedTransport, transportPair } from "@ocppj/testing";

/** A Central System on a clock of its own, and chargers that send what a test says. */
export function centralSystemOnFakeClock(options: CentralSystemOptions = {}) {
  const clock = new FakeClock();
  let messageIds = 0;
  const accepted = { get: () => "Accepted" as const, set: () => {} };
  const createMessageId = () => `central-${++messageIds}`;
  const centralSystem = new CentralSystem({ clock, createMessageId, registrations: accepted, ...options });
  centralSystem.handle("Heartbeat", () => ({ currentTime: new Date(clock.now()).toISOString() }));
  /** Connects a charger; it answers nothing by itself. */
  const connect = (identity = "CP001"): LinkedTransport => {
    const { centralSystem: near, chargePoint } = transportPair(clock);
    centralSystem.accept(near, identity);
    chargePoint.listen({ message: () => {}, close: () => {} });
    return chargePoint;
  };
  return { clock, centralSystem, connect };
}
