import type { ActionTo, ChargePoint, Conf, ExactAnswer, HandlerContext, Req } from "@ocppj/core";
import type { Decided } from "./decided.ts";

export type Context = HandlerContext<"ChargePoint">;

/** How requests are answered: a handler decides and answers, and what the answer promises is done once that is on its way. */
export interface Answering {
  handle<A extends ActionTo<"ChargePoint">>(
    action: A,
    handler: (req: Req<A>, context: Context) => Conf<A> | Promise<Conf<A>>,
  ): void;
  /** Does what was written down, once the answer is on its way, or will never be: after a power cut it would be so, too. */
  onceAnswered(context: Context, act: (wasSent: boolean) => void): void;
  /** Does what an answer has promised. Where it never leaves, the Central System does not count on it. */
  afterAnswer(context: Context, act: () => void): void;
  /** Answers with what was decided, which takes effect once that was answered. */
  decided<Status>(decision: Promise<Decided<Status>>, context: Context): Promise<{ readonly status: Status }>;
  /** Sends what a trigger has asked for; `undefined`: there is nothing to send. */
  triggered(context: Context, send: (() => void) | undefined): { readonly status: "Accepted" | "Rejected" };
}

/** @spec [J-111] */
export function answering({
  chargePoint,
  fault,
  follow,
}: {
  readonly chargePoint: ChargePoint;
  readonly fault: (error: unknown) => void;
  /** Draws the consequences of what was done. */
  readonly follow: () => void;
}): Answering {
  const onceAnswered: Answering["onceAnswered"] = ({ answered }, act) => {
    answered
      .then((wasSent) => {
        act(wasSent);
        follow();
      })
      .catch(fault);
  };
  const afterAnswer: Answering["afterAnswer"] = (context, act) => onceAnswered(context, (wasSent) => wasSent && act());
  return {
    onceAnswered,
    afterAnswer,
    handle<A extends ActionTo<"ChargePoint">>(
      action: A,
      handler: (req: Req<A>, context: Context) => Conf<A> | Promise<Conf<A>>,
    ): void {
      chargePoint.handle(action, handler as typeof handler & ExactAnswer<typeof handler, Conf<A>>);
    },
    async decided(decision, context) {
      const { status, takeEffect } = await decision;
      onceAnswered(context, takeEffect);
      return { status };
    },
    triggered(context, send) {
      if (send === undefined) return { status: "Rejected" };
      afterAnswer(context, send);
      return { status: "Accepted" };
    },
  };
}
