/* Which actions an end of a connection may send, and answer. */
import { type Action, isAction, maySend, type Req, type Role } from "../messages/actions.ts";
import { parseReq } from "../messages/validate.ts";
import { optionRules, takeOption, takeOptions } from "../options.ts";
import { type CallOptions, callRules, noOptions } from "./call-options.ts";

export const peerOf = (role: Role): Role => (role === "ChargePoint" ? "CentralSystem" : "ChargePoint");

export const cannotSend = (role: Role, action: string): string =>
  isAction(action) ? `A ${role} cannot send ${action} in OCPP 1.6.` : `OCPP 1.6 has no action "${action}".`;

/**
 * Takes what a CALL is made of, and makes none.
 *
 * @throws PayloadError `req` violates its schema.
 * @throws TypeError This role cannot send the action, or one of the options is not what it may be.
 */
export function takeCall<A extends Action>(
  role: Role,
  action: A,
  req: Req<A>,
  options: CallOptions,
): { readonly payload: Req<A>; readonly taken: CallOptions } {
  const taken = options === noOptions ? noOptions : takeOptions("call", options, callRules);
  if (!isAction(action) || !maySend(role, action)) throw new TypeError(cannotSend(role, action));
  return { payload: parseReq(action, req, "local"), taken };
}

/**
 * Adds a handler to a table of them.
 *
 * @throws TypeError There already is one, it is no function, or the peer of `role` cannot send this action.
 */
export function register<Handler>(handlers: Map<Action, Handler>, role: Role, action: Action, handler: Handler): void {
  const peer = peerOf(role);
  if (!isAction(action) || !maySend(peer, action)) throw new TypeError(cannotSend(peer, action));
  takeOption(`The handler for ${action}`, handler, optionRules.required(optionRules.callback));
  if (handlers.has(action)) throw new TypeError(`There already is a handler for ${action}.`);
  handlers.set(action, handler);
}
