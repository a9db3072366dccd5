import { expect } from "vitest";
import type { CallErrorFrame, CallFrame, CallResultFrame, Frame } from "../../src/rpc/frame.ts";
import type { Outcome, Rpc, RpcViolation } from "../../src/rpc/rpc.ts";

export const call = (messageId: string, action = "Heartbeat", payload: unknown = {}): CallFrame => ({
  type: "CALL",
  messageId,
  action,
  payload,
});

export const callResult = (messageId: string, payload: unknown = {}): CallResultFrame => ({
  type: "CALLRESULT",
  messageId,
  payload,
});

export const callError = (messageId: string, errorCode: string, errorDescription = ""): CallErrorFrame => ({
  type: "CALLERROR",
  messageId,
  errorCode,
  errorDescription,
  errorDetails: {},
});

export const expectSent = (rpc: Rpc, frame: Frame): void => {
  const output = rpc.poll();
  expect(output).toMatchObject({ type: "send" });
  expect(output).toHaveProperty("frame", frame);
};

export const expectReceived = (rpc: Rpc, frame: CallFrame): void =>
  expect(rpc.poll()).toEqual({ type: "received", call: frame });

export const expectSettled = (rpc: Rpc, settledCall: CallFrame, outcome: Outcome): void =>
  expect(rpc.poll()).toEqual({ type: "settled", call: settledCall, outcome });

export const expectViolation = (rpc: Rpc, reason: RpcViolation): void =>
  expect(rpc.poll()).toMatchObject({ type: "violation", reason, message: expect.stringMatching(/\.$/) });

export const expectQuiet = (rpc: Rpc): void => expect(rpc.poll()).toBeUndefined();
