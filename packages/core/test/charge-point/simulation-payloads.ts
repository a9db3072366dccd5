import type { Req } from "../../src/index.ts";
import type { KeptAction } from "./simulation-schedule.ts";

/*
 * What the owner reports carries a number in its payload, by which it is known again wherever it turns up: in the store,
 * on the wire, in an event.
 */

export type Payload = Record<string, unknown>;
export type FrameArray = readonly [type: number, messageId: string, ...rest: unknown[]];

/** How the payload of what was reported with this number looks as JSON, at one place. */
export function fieldOf(action: KeptAction, number: number): string {
  switch (action) {
    case "StartTransaction":
      return `"meterStart":${number},`;
    case "StopTransaction":
      return `"meterStop":${number},`;
    case "MeterValues":
      return `"value":"${number}"`;
    case "SecurityEventNotification":
      return `"techInfo":"${number}"`;
    case "DataTransfer":
      return `"data":"${number}"`;
  }
}

/** The number of what was reported, in its payload; NaN where there is none. */
export function numberOf(action: string, payload: Payload): number {
  switch (action) {
    case "StartTransaction":
      return (payload as Req<"StartTransaction">).meterStart;
    case "StopTransaction":
      return (payload as Req<"StopTransaction">).meterStop;
    case "MeterValues": {
      const { transactionId, meterValue } = payload as Req<"MeterValues">;
      return transactionId === undefined ? Number.NaN : Number(meterValue[0]?.sampledValue[0]?.value);
    }
    case "SecurityEventNotification":
      return Number((payload as Req<"SecurityEventNotification">).techInfo);
    case "DataTransfer":
      return Number((payload as Req<"DataTransfer">).data);
    case "StatusNotification":
      return Number((payload as Req<"StatusNotification">).info);
    default:
      return Number.NaN;
  }
}

/** Takes the timestamps out of a payload, wherever they are. */
export function withoutTimestamps(payload: unknown): { readonly timestamps: number[]; readonly content: unknown } {
  const timestamps: number[] = [];
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== "object" || value === null) return value;
    const rest = Object.entries(value).filter(([key, field]) => {
      if (key === "timestamp") timestamps.push(Date.parse(field as string));
      return key !== "timestamp";
    });
    return Object.fromEntries(rest.map(([key, field]) => [key, strip(field)]));
  };
  return { timestamps, content: strip(payload) };
}

/** What a CALLRESULT that was cut off counts for; `undefined` when its id cannot be read. */
export function cutAnswerOf(text: string): FrameArray | undefined {
  const messageId = /^\[3,"([^"]+)",/.exec(text)?.[1];
  return messageId === undefined ? undefined : [3, messageId, { nonsense: true }];
}

/** The frame in a text; `undefined` when it is none. */
export function frameOf(text: string): FrameArray | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
