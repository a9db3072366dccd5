import type { ChargePoint, DiscardReason } from "../../src/index.ts";
import { ToldTime } from "./simulation-clock-laws.ts";
import type { KeptAction } from "./simulation-schedule.ts";

/* What the laws remember. */

/** A transaction as its owner knows it. */
export interface Charging {
  readonly connectorId: number;
  /** Of this transaction only. */
  readonly idTag: string;
  readonly startedAt: number;
  readonly leavesAt: number;
  readonly power: number;
  /** The id that the Charge Point must use: that of the last answer it took, -1 after it gave up. */
  transactionId: number | undefined;
  identifiedAt: number;
  stop: Reported | undefined;
}

/** Something that the owner reported to the Charge Point: it carries its number in its payload. */
export interface Reported {
  readonly number: number;
  readonly action: KeptAction;
  /** The transaction that it belongs to, if it belongs to one. */
  readonly charging: Charging | undefined;
  /** As it was reported, without its timestamps. */
  readonly payload: unknown;
  readonly at: number;
  /** The time of the Central System at that moment, as far as it was told then, or the first time after; else NaN. */
  expectedTime: number;
  /** Whether that was known then, and not in doubt. */
  readonly certain: boolean;
  /** How often the clock had been set back by then. */
  readonly setBack: number;
  /** The timestamp that the owner gave it. */
  readonly noted: number | undefined;
  /** The time from power on to power off in which it was reported. */
  readonly power: number;
  /** It would survive a power cut. */
  saved: boolean;
  fate: "none" | "delivered" | DiscardReason | "deleted";
  /** Its fate would survive a power cut. */
  fateSaved: boolean;
  /** When the owner wanted it delivered after all: it may come after what happened later. 0: never. */
  retriedAt: number;
  receipts: number;
  timestamp: number;
  /** Since it was reported, or retried. */
  readonly attempts: Attempt[];
  /** The newest of all. */
  latest: Attempt | undefined;
}

/** The status of a connector that the owner reported. */
export interface ReportedStatus {
  readonly number: number;
  readonly at: number;
  /** As in {@link Reported}. */
  expectedTime: number;
  sentAt: number;
  /** It was answered, or has failed: it is not sent again for its own sake. [J-213] */
  settled: boolean;
}

/** One transmission of a CALL. */
export interface Attempt {
  readonly power: number;
  readonly at: number;
  endedAt: number;
  /** `timed out`: not answered in time, which is no failure before the Central System has answered something since. */
  outcome: "waiting" | "answered" | "failed" | "timed out" | "closed";
  /** Something that is no CALL has come back since; that it was an answer to one of ours is not certain. */
  sign: boolean;
  /** That it failed would survive a power cut. */
  failureSaved: boolean;
  /** It may have counted as a failure before it was answered after all. */
  mayHaveCounted: boolean;
}

/** A CALL that one end has sent and not seen answered. */
export interface Outstanding {
  readonly messageId: string;
  readonly action: string;
  at: number;
  /** How often there had been reason to doubt the time. */
  readonly doubts?: number;
  readonly attempt?: Attempt;
  readonly reported?: Reported;
  /** The number of a status. */
  readonly status?: number;
}

/** One connection, as its two ends see it. */
export class Wire {
  readonly number: number;
  /** When the Charge Point sent the first CALL after which nothing has come back. */
  silentSince = Number.POSITIVE_INFINITY;
  /** A Heartbeat has to come before anything else, for the time is in doubt. */
  heartbeatDue = false;
  /** CALLs may have waited for their turn then. */
  waiting = false;
  /** CALLs of the Charge Point. */
  outstanding: Outstanding | undefined;
  /** All of them, by message id. */
  readonly calls = new Map<string, Outstanding>();
  /** Attempts that were not answered in time, and since which nothing has been. */
  readonly timedOut = new Set<Attempt>();
  /** CALLs of the Central System, as that sees it. */
  outstandingAtCentralSystem: Outstanding | undefined;
  /** CALLs of the Central System that have reached the Charge Point. */
  readonly served = new Map<string, { readonly action: string; readonly payload: unknown }>();

  constructor(number: number) {
    this.number = number;
  }
}

/** The Charge Point from power on to power off, as its frames show it. */
export class Session {
  readonly power: number;
  readonly chargePoint: ChargePoint;
  /** `Forgotten`: the Central System has shown that it does not know of the acceptance. */
  registration: "Unregistered" | "Pending" | "Rejected" | "Accepted" | "Forgotten" = "Unregistered";
  /** The connection on which it was accepted. */
  acceptedOn: object | undefined;
  /** Whether what is under way is refused because of that. */
  refused = false;
  acceptedAt = Number.POSITIVE_INFINITY;
  /** \`stop\` was called. */
  stopping = false;
  /** Its computer sleeps. */
  asleep = false;
  /** No BootNotification before this. */
  bootAt = Number.NEGATIVE_INFINITY;
  /** Time between Heartbeats. */
  heartbeatMs: number;
  connectedAt = 0;
  /** When the connection ended, or an attempt to open one; infinite from one of these to the other. */
  disconnectedAt = 0;
  /** When anything was sent last, and when a Heartbeat or the BootNotification that was accepted. */
  sentAt = 0;
  heartbeatAt = 0;
  /** When a message was last delivered or given up. */
  fateAt = 0;
  /** How many messages of an action a TriggerMessage has asked for while Pending. */
  readonly asked = new Map<string, number>();
  readonly time = new ToldTime();
  /** Numbers of what is in the queue. */
  readonly queued: Set<number>;
  /** Numbers of what is in the queue if the power failed after it was written, or before its removal was. */
  readonly maybeQueued: Set<number>;
  /** Calls of `saved` that have not ended. */
  readonly saving = new Set<{ at: number }>();
  /** The newest of each connector. */
  readonly statuses = new Map<number, ReportedStatus>();

  constructor(power: number, chargePoint: ChargePoint, heartbeatMs: number, reported: readonly Reported[]) {
    this.power = power;
    this.chargePoint = chargePoint;
    this.heartbeatMs = heartbeatMs;
    const queued = reported.filter(({ fate, saved }) => fate === "none" && saved);
    const maybe = reported.filter(({ fate, saved, fateSaved }) => (fate === "none" ? !saved : !fateSaved));
    this.queued = new Set(queued.map(({ number }) => number));
    this.maybeQueued = new Set(maybe.map(({ number }) => number));
  }
}

/** The failures of a message of which the Charge Point must know: those of before a power cut that had been saved, too. */
export function failuresThatCount({ attempts: all }: Reported, { power }: Session): readonly Attempt[] {
  return all.filter((attempt) => attempt.outcome === "failed" && (attempt.failureSaved || attempt.power === power));
}

/** Whether an attempt may count as a failure. */
export const mayCount = ({ outcome, sign, mayHaveCounted }: Attempt): boolean =>
  outcome === "failed" || (outcome === "timed out" && sign) || mayHaveCounted;
