import type { HandlerContext } from "../connection/connection.ts";
import { CallError, PayloadError } from "../errors.ts";
import type { Conf, Req, Role } from "../messages/actions.ts";
import { optionRules, takeOption } from "../options.ts";
import {
  decodeData,
  encodeData,
  nameOf,
  type VendorInput,
  type VendorMessage,
  type VendorOutput,
} from "./vendor-message.ts";

/**
 * How a vendor message is answered. `Accepted` carries the `data` that has been agreed upon; `Rejected` refuses the request
 * that is in the message, and may carry it.
 */
export type VendorAnswer<M extends VendorMessage> =
  | (undefined extends VendorInput<M, "conf">
      ? { readonly status: "Accepted"; readonly data?: VendorInput<M, "conf"> }
      : { readonly status: "Accepted"; readonly data: VendorInput<M, "conf"> })
  | { readonly status: "Rejected"; readonly data?: VendorInput<M, "conf"> | undefined };

/** Answers a vendor message. What is said of {@link Handler} about errors holds. */
export type VendorHandler<R extends Role, M extends VendorMessage> = (
  data: VendorOutput<M, "req">,
  context: HandlerContext<R>,
) => VendorAnswer<M> | Promise<VendorAnswer<M>>;

/** A vendor message with its handler, whose types are known at run time only. */
interface Handled<R extends Role> {
  readonly message: VendorMessage;
  readonly handler: (
    data: never,
    context: HandlerContext<R>,
  ) => VendorAnswer<VendorMessage> | Promise<VendorAnswer<VendorMessage>>;
}

/**
 * The vendor messages that one role understands: finds the handler of a DataTransfer, parses and checks its `data`, and
 * the answer's. Give `answer` to whoever receives them:
 *
 *     centralSystem.handle("DataTransfer", vendorMessages.answer);
 *
 * @typeParam R - The role that receives the messages.
 * @spec OCPP 1.6 §4.3, §5.6
 */
export class VendorMessages<R extends Role> {
  readonly #vendors = new Map<string, Map<string | undefined, Handled<R>>>();

  /**
   * Registers the handler for a vendor message.
   *
   * @throws TypeError There already is one for this vendorId and messageId, or `handler` is no function.
   * @spec OCPP 1.6 §4.3 [CORE-DT-02]
   */
  handle<const M extends VendorMessage>(message: M, handler: VendorHandler<R, M>): void {
    const { vendorId, messageId } = message;
    const messages = this.#vendors.get(folded(vendorId)) ?? new Map<string | undefined, Handled<R>>();
    const name = messageId === undefined ? undefined : folded(messageId);
    takeOption(`The handler for ${nameOf(message)}`, handler, optionRules.required(optionRules.callback));
    if (messages.has(name)) throw new TypeError(`There already is a handler for ${nameOf(message)}.`);
    messages.set(name, { message: { ...message }, handler: handler as Handled<R>["handler"] });
    this.#vendors.set(folded(vendorId), messages);
  }

  /**
   * The handler for DataTransfer.
   *
   * A vendor that is not known is answered with `UnknownVendorId`, a message of a known vendor with `UnknownMessageId`,
   * both without `data`. Data that cannot be read was not accepted as a message, so that it is not for the handler to
   * reject: it is answered with a CALLERROR, which says where it is wrong and repeats none of it.
   *
   * @throws CallError `data` is not JSON (`FormationViolation`), is missing (`ProtocolError`), or does not fit the
   * schema (`PropertyConstraintViolation`).
   * @throws PayloadError The handler's answer does not fit the schema.
   * @spec OCPP 1.6 §4.3, §7.23 [CORE-DT-05, CORE-DT-06, CORE-DT-07]
   */
  readonly answer = async (req: Req<"DataTransfer">, context: HandlerContext<R>): Promise<Conf<"DataTransfer">> => {
    const messages = this.#vendors.get(folded(req.vendorId));
    if (messages === undefined) return { status: "UnknownVendorId" };
    const handled = messages.get(req.messageId === undefined ? undefined : folded(req.messageId));
    if (handled === undefined) return { status: "UnknownMessageId" };
    const { message, handler } = handled;
    const received = await decodeData(message, "req", req.data).catch(refuse);
    const { status, data } = await handler(received as never, context);
    // There may be nothing to say about a request that is refused.
    const text = status === "Rejected" && data === undefined ? undefined : await encodeData(message, "conf", data);
    return text === undefined ? { status } : { status, data: text };
  };
}

/** Text that differs in case only is the same. @spec OCPP 1.6 §7.17, §7.18 [CORE-IDT-06] */
const folded = (text: string): string => text.toLowerCase();

/** Only a {@link CallError} is for the peer. */
function refuse(error: unknown): never {
  if (!(error instanceof PayloadError)) throw error;
  throw new CallError(error.code, error.description, { cause: error });
}
