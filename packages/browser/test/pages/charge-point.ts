import { connect } from "@ocppj/browser";
import { type Conf, Connection, type PayloadError } from "@ocppj/core";

/** How a Charge Point fared. */
interface Experience {
  readonly boot: Conf<"BootNotification">;
  readonly heartbeat: Conf<"Heartbeat">;
  readonly authorize: Conf<"Authorize">;
  /** What the page's own checks said to payloads that are none. */
  readonly refusals: readonly string[];
}

declare global {
  /** Is a Charge Point: connects, boots, beats, authorizes; from then on it answers RemoteStartTransaction. */
  function beChargePoint(url: string, identity: string): Promise<Experience>;
}

globalThis.beChargePoint = async (url, identity) => {
  const connection = new Connection(await connect()({ url, identity }), { role: "ChargePoint", identity });
  connection.handle("RemoteStartTransaction", ({ idTag }) => ({ status: idTag === "known" ? "Accepted" : "Rejected" }));
  return {
    boot: await connection.call("BootNotification", { chargePointVendor: "Vendor", chargePointModel: "Page" }),
    heartbeat: await connection.call("Heartbeat", {}),
    authorize: await connection.call("Authorize", { idTag: "known" }),
    refusals: [
      await refusalOf(connection.call("Authorize", { idTag: "more than 20 characters" })),
      await refusalOf(connection.call("Heartbeat", [] as never)),
    ],
  };
};

const refusalOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "none",
    ({ code }: PayloadError) => code,
  );
