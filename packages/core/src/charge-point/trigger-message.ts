import type { AnyHandler, Handler } from "../connection/connection.ts";
import { type Action, type Req, requestedAction } from "../messages/actions.ts";

/** What a TriggerMessage can set off. */
export interface Triggers {
  /** Whether BootNotification can be asked for now. */
  readonly mayBoot: () => boolean;
  /** Whether other messages than BootNotification can be asked for now. */
  readonly mayBeAsked: () => boolean;
  /** Opens the gate for an action, and sends BootNotification or Heartbeat if it is one of these. */
  readonly triggered: (action: Action) => void;
  /** The newest statuses, of one connector or of all. */
  readonly statusesOf: (connectorId: number | undefined) => readonly Req<"StatusNotification">[];
  readonly sendStatus: (status: Req<"StatusNotification">) => void;
}

type Trigger = Handler<"ChargePoint", "TriggerMessage">;

/**
 * Makes the handler of TriggerMessage or ExtendedTriggerMessage: the messages that a Charge Point sends by itself are sent
 * once the answer is on its way; about the others the owner decides.
 *
 * @param owner - The owner's handler; without one, the other messages are not implemented.
 * @spec OCPP 1.6 §5.17 [RT-01 … RT-08, RT-13, RT-16, RT-17]
 */
export function triggerHandler(
  action: "TriggerMessage" | "ExtendedTriggerMessage",
  owner: AnyHandler<"ChargePoint"> | undefined,
  { mayBeAsked, mayBoot, sendStatus, statusesOf, triggered }: Triggers,
): AnyHandler<"ChargePoint"> {
  const handler: Trigger = async (req, context) => {
    const { connectorId, requestedMessage } = req;
    if (requestedMessage !== "BootNotification" && !mayBeAsked()) return { status: "Rejected" };
    switch (requestedMessage) {
      case "BootNotification":
        if (!mayBoot()) return { status: "Rejected" }; // RT-13
        void context.answered.then(() => triggered("BootNotification"));
        return { status: "Accepted" };
      case "Heartbeat":
        void context.answered.then(() => triggered("Heartbeat"));
        return { status: "Accepted" };
      case "StatusNotification": {
        const statuses = statusesOf(connectorId);
        if (statuses.length === 0) return { status: "Rejected" };
        // Only these: the gate stays closed for what the owner reports while Pending. [CORE-BOOT-09]
        void context.answered.then(() => statuses.forEach(sendStatus));
        return { status: "Accepted" };
      }
      default: {
        if (owner === undefined) return { status: "NotImplemented" };
        const conf = await (owner as Trigger)(req, context);
        if (conf.status === "Accepted") triggered(requestedAction(action, requestedMessage));
        return conf;
      }
    }
  };
  return handler;
}
