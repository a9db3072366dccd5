import { FakeClock, type LinkedTransport, transportPair } from "@ocppj/testing";
import { Connection, type ConnectionEvents, type ConnectionOptions, type Role } from "../../src/index.ts";

type Recorded = { [E in keyof ConnectionEvents]: ConnectionEvents[E][0][] };

/** A Connection whose far end is a bare transport: tests say in texts what the peer sends and see what it gets. */
export interface RawPeer<R extends Role> {
  readonly clock: FakeClock;
  readonly connection: Connection<R>;
  readonly events: Recorded;
  /** The connection's own transport. */
  readonly near: LinkedTransport;
  readonly peer: LinkedTransport;
  /** What has arrived at the peer, as JSON. */
  readonly arrived: unknown[];
  /** How the peer's end was closed, once it was. */
  readonly closed: { code: number; reason: string }[];
  /** Sends a text to the connection and lets everything that follows happen. */
  send(text: string): Promise<void>;
}

export function rawPeer<R extends Role>(role: R, options: Partial<ConnectionOptions<R>> = {}): RawPeer<R> {
  const clock = new FakeClock();
  const link = transportPair(clock);
  const [near, peer] =
    role === "ChargePoint" ? [link.chargePoint, link.centralSystem] : [link.centralSystem, link.chargePoint];
  const arrived: unknown[] = [];
  const closed: { code: number; reason: string }[] = [];
  let ids = 0;
  const connection = new Connection(near, {
    role,
    identity: "CP001",
    clock,
    createMessageId: () => `${++ids}`,
    ...options,
  });
  peer.listen({
    message: (text) => arrived.push(JSON.parse(text)),
    close: (code, reason) => closed.push({ code, reason }),
  });
  const events: Recorded = { message: [], violation: [], tolerated: [], finished: [], fault: [], closed: [] };
  connection.on("message", (event) => events.message.push(event));
  connection.on("violation", (event) => events.violation.push(event));
  connection.on("tolerated", (event) => events.tolerated.push(event));
  connection.on("finished", (event) => events.finished.push(event));
  connection.on("fault", (event) => events.fault.push(event));
  connection.on("closed", (event) => events.closed.push(event));
  return {
    clock,
    connection,
    events,
    near,
    peer,
    arrived,
    closed,
    async send(text) {
      peer.send(text);
      await clock.advance(0);
    },
  };
}
