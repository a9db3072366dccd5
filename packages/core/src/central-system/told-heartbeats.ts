import { putLatest } from "../bounded.ts";
import type { Connection } from "../connection/connection.ts";
import type { Action, Conf, Req } from "../messages/actions.ts";

/** How many intervals a Charge Point may let pass that answers no pings. */
const patience = 3;

/** Of how many Charge Points the interval is remembered. Of others it is not known, until it is told again. */
const most = 100_000;

/**
 * How often each Charge Point was told to send a Heartbeat. Who never answers a ping is judged by that, also on connections
 * on which it does not boot again.
 *
 * @spec OCPP 1.6 §4.2, §4.6; J errata 3.9 [CORE-BOOT-03, CORE-HB-08, J-154, Q20]
 */
export class ToldHeartbeats {
  /** In seconds, by identity; who was told last comes last. */
  readonly #intervals = new Map<string, number>();

  connected(connection: Connection<"CentralSystem">): void {
    const interval = this.#intervals.get(connection.identity);
    if (interval !== undefined) this.#told(connection, interval);
  }

  /**
   * Takes the answer to a BootNotification. An interval of 0 leaves it to the Charge Point; one that is not accepted sends no
   * Heartbeats. [CORE-BOOT-05, CORE-BOOT-06]
   */
  answered(connection: Connection<"CentralSystem">, { status, interval }: Conf<"BootNotification">): void {
    this.#told(connection, status === "Accepted" ? interval : 0);
  }

  /** Takes the answer that a CALL to the Charge Point has got. */
  confirmed(connection: Connection<"CentralSystem">, action: string, req: unknown, conf: unknown): void {
    if ((action as Action) !== "ChangeConfiguration") return;
    const { key, value } = req as Req<"ChangeConfiguration">;
    if (key.toLowerCase() !== "heartbeatinterval") return;
    if ((conf as Conf<"ChangeConfiguration">).status === "Accepted") this.#told(connection, Number(value));
  }

  #told(connection: Connection<"CentralSystem">, interval: number): void {
    const { identity } = connection;
    const isTold = interval > 0;
    connection.limitSilence(isTold ? patience * interval * 1000 : Number.POSITIVE_INFINITY);
    if (isTold) putLatest(this.#intervals, identity, interval, most);
    else this.#intervals.delete(identity);
  }
}
