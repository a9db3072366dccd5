import type { CallOptions } from "../connection/call-options.ts";
import type { Conf, Req } from "../messages/actions.ts";
import {
  decodeData,
  encodeData,
  requestOf,
  textIn,
  type VendorInput,
  type VendorMessage,
  type VendorOutput,
} from "./vendor-message.ts";

/** Who can send a DataTransfer: a `Connection` of either role, a `ChargePoint`. */
export interface VendorMessageCaller {
  call(action: "DataTransfer", req: Req<"DataTransfer">, options?: CallOptions): Promise<Conf<"DataTransfer">>;
}

/** How the peer has answered a vendor message. */
export type VendorConf<M extends VendorMessage> =
  | { readonly status: "Accepted"; readonly data: VendorOutput<M, "conf"> }
  /** The peer understood the message and refuses what it asks for; it may say more. */
  | { readonly status: "Rejected"; readonly data: VendorOutput<M, "conf"> | undefined }
  /** The peer does not know the vendor, or not this message. */
  | { readonly status: "UnknownVendorId" | "UnknownMessageId"; readonly data: undefined };

/**
 * Sends a vendor message and resolves with its answer.
 *
 * @param data - What `message.req` accepts: JSON values, or a string with the format `text`; `undefined` without a schema.
 * @returns The status, and the `data` of the answer as `message.conf` makes it.
 * @throws PayloadError `data` does not fit its schema (`origin: "local"`, nothing was sent), or the answer's does
 * not.
 * @throws The errors of {@link Connection.call}.
 * @spec OCPP 1.6 §4.3, §5.6 [CORE-DT-01, CORE-DT-04 … CORE-DT-07]
 */
export async function callVendorMessage<const M extends VendorMessage>(
  caller: VendorMessageCaller,
  message: M,
  data: VendorInput<M, "req">,
  options: CallOptions = {},
): Promise<VendorConf<M>> {
  const taken: VendorMessage = { ...message };
  const takenOptions = { ...options };
  const encoded = encodeData(taken, "req", data);
  // Without waiting for what is there already, so that CALLs are sent in the order in which they are made.
  const text = encoded instanceof Promise ? await encoded : encoded;
  const conf = await caller.call("DataTransfer", requestOf(taken, text), takenOptions);
  const isAnswered =
    conf.status === "Accepted" || (conf.status === "Rejected" && textIn(taken, conf.data) !== undefined);
  const received = isAnswered ? await decodeData(taken, "conf", conf.data) : undefined;
  return { status: conf.status, data: received } as VendorConf<M>;
}
