import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Registration, type RegistrationOutput } from "../../src/charge-point/registration.ts";
import type { Action } from "../../src/messages/actions.ts";
import { command as commandOn, MachineBench } from "../machine-bench.ts";
import { day, minute, second } from "./vocabulary.ts";

type Status = "Accepted" | "Pending" | "Rejected";

/** A Registration as `drive` runs it, and what the laws need to remember: what it was told, and what it asked for. */
class Bench extends MachineBench<RegistrationOutput> {
  protected readonly machine = new Registration(5 * minute);
  connected = false;
  state: Status | "Unregistered" = "Unregistered";
  /** Accepted on an earlier connection. */
  presumed = false;
  unanswered: "boot" | "heartbeat" | undefined;
  /** The Central System, or its silence, forbids a BootNotification before. */
  bootNotBefore = 0;
  waitMs = minute;
  heartbeatMs = 5 * minute;
  sentAt = 0;
  /** When a BootNotification was last accepted, or a Heartbeat sent. */
  askedAt = 0;
  /** The time is in doubt, and nothing was sent since that brings it. */
  doubted = false;
  /** The unanswered Heartbeat was sent because of that, or because the time was never told. */
  reassuring = false;
  /** The Central System has told the time since the last doubt. */
  told = false;
  /** Whether statuses and queued messages may be sent, as far as the outputs say. */
  online = false;
  heartbeatAsked = false;
  readonly solicited = new Set<Action>();
  expectedAnswer: { readonly status: Status; readonly intervalMs: number } | undefined;

  protected check(): void {
    expect(this.expectedAnswer, "an answer that is not told").toBeUndefined();
    this.#checkGates();
    this.#checkPatience();
  }

  protected perform(output: RegistrationOutput): void {
    if (output.type === "online") {
      expect(this.online, "online twice").toBe(false);
      this.online = true;
      return;
    }
    if (output.type === "registered") {
      expect(output).toEqual({ type: "registered", ...this.expectedAnswer });
      this.expectedAnswer = undefined;
      return;
    }
    expect(this.connected, "sent without a connection").toBe(true);
    expect(this.unanswered, "sent while another is unanswered").toBeUndefined();
    this.unanswered = output.type;
    if (output.type === "boot") this.#boot();
    else this.#heartbeat();
    this.sent();
  }

  #boot(): void {
    expect(this.state, "BootNotification after Accepted").not.toBe("Accepted");
    expect(this.now, "BootNotification before the wait is over").toBeGreaterThanOrEqual(this.bootNotBefore);
    this.doubted = false;
  }

  #heartbeat(): void {
    if (!this.heartbeatAsked) {
      expect(this.state, "Heartbeat before Accepted").toBe("Accepted");
      if (!this.doubted) expect(this.now, "Heartbeat before it is due").toBeGreaterThanOrEqual(this.#heartbeatDue());
    }
    expect(["Accepted", "Pending"], "Heartbeat that nobody may send").toContain(this.state);
    this.reassuring = this.doubted || !this.told;
    if (this.reassuring) this.online = false;
    this.doubted = false;
    this.heartbeatAsked = false;
    this.askedAt = this.now;
  }

  #heartbeatDue(): number {
    return Math.min(this.sentAt + this.heartbeatMs, this.askedAt + (this.told ? day : this.heartbeatMs));
  }

  #checkGates(): void {
    const { machine: registration, state } = this;
    const pending = state === "Pending" && this.unanswered !== "boot";
    expect(registration.state).toBe(state);
    const online = state === "Accepted" && this.connected && !this.doubted && !this.reassuring;
    expect([registration.online, this.online], "the gate, and what was told of it").toEqual([online, online]);
    expect(registration.answers).toBe(state !== "Rejected");
    expect(registration.mayBoot).toBe(state !== "Accepted" || this.presumed);
    const actions = ["BootNotification", "Heartbeat", "MeterValues", "Authorize"] as const;
    const mayBeSent = (action: Action): boolean =>
      state === "Accepted" || action === "BootNotification" || (pending && this.solicited.has(action));
    expect(registration.mayBeAsked).toBe(state !== "Unregistered" && this.unanswered !== "boot");
    expect(actions.filter((action) => registration.allows(action))).toEqual(actions.filter(mayBeSent));
  }

  /** It never gets stuck, and nothing that is due is late. */
  #checkPatience(): void {
    const { deadline } = this.machine;
    if (!this.connected || this.unanswered !== undefined) {
      expect(deadline).toBe(Number.POSITIVE_INFINITY);
      return;
    }
    expect(Number.isFinite(deadline), "stuck").toBe(true);
    expect(this.heartbeatAsked, "a Heartbeat that was asked for is not sent").toBe(false);
    if (this.state === "Accepted") {
      expect(this.doubted, "a doubt without a Heartbeat").toBe(false);
      expect(this.now, "Heartbeat overdue").toBeLessThan(this.#heartbeatDue());
    } else expect(this.now, "BootNotification overdue").toBeLessThan(this.bootNotBefore);
  }

  connect(): void {
    if (this.connected) return;
    this.connected = true;
    this.presumed = this.state === "Accepted";
    this.doubted ||= this.presumed;
    this.machine.connected(this.now);
  }

  disconnect(): void {
    this.connected = false;
    this.unanswered = undefined;
    this.heartbeatAsked = false;
    this.reassuring = false;
    this.online = false;
    this.solicited.clear();
    this.machine.disconnected();
  }

  answer(status: Status, interval: number): void {
    // Also when nobody waits for it: an answer can come with the end of its connection.
    if (this.unanswered === "heartbeat") return;
    if (this.unanswered === "boot") {
      this.unanswered = undefined;
      this.state = status;
      this.solicited.clear();
      if (status === "Accepted") {
        if (interval > 0) this.heartbeatMs = interval * second;
        this.sentAt = this.now;
        this.askedAt = this.now;
        this.expectedAnswer = { status, intervalMs: this.heartbeatMs };
      } else {
        this.waitMs = interval > 0 ? interval * second : minute;
        this.bootNotBefore = this.now + this.waitMs;
        this.expectedAnswer = { status, intervalMs: this.waitMs };
        if (status === "Rejected") this.heartbeatAsked = false;
      }
    }
    this.machine.answered({ status, interval }, this.now);
  }

  fail(): void {
    if (this.unanswered === "boot") {
      this.bootNotBefore = this.now + this.waitMs;
      this.machine.unanswered(this.now);
    }
    if (this.unanswered === "heartbeat") {
      this.reassuring = false;
      this.machine.heartbeatSettled();
    }
    this.unanswered = undefined;
  }

  tell(): void {
    this.told = true;
    this.machine.told();
  }

  doubt(): void {
    this.told = false;
    this.doubted = true;
    this.online = false;
    this.machine.doubted(this.now);
  }

  sent(): void {
    this.sentAt = this.now;
    this.machine.sent(this.now);
  }

  trigger(action: Action): void {
    if (this.connected && this.state !== "Rejected") {
      this.solicited.add(action);
      if (action === "BootNotification") this.bootNotBefore = this.now;
      if (action === "Heartbeat" && this.state !== "Unregistered") this.heartbeatAsked = true;
    }
    this.machine.triggered(action, this.now);
  }

  forget(): void {
    if (this.state === "Accepted" && this.presumed) {
      this.state = "Unregistered";
      this.online = false;
      this.heartbeatAsked = false;
      this.bootNotBefore = this.now;
    }
    this.presumed = false;
    this.machine.forgotten(this.now);
  }

  configure(heartbeatMs: number): void {
    this.heartbeatMs = heartbeatMs;
    this.machine.configured(heartbeatMs);
  }
}

const command = commandOn<Bench>;

const intervals = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 86_400 }));

const commands = [
  fc.constant(command("connect", (bench) => bench.connect())),
  fc.constant(command("connect", (bench) => bench.connect())),
  fc.constant(command("disconnect", (bench) => bench.disconnect())),
  fc
    .tuple(fc.constantFrom<Status>("Accepted", "Pending", "Rejected"), intervals)
    .map(([status, interval]) => command(`answer ${status} ${interval}`, (bench) => bench.answer(status, interval))),
  fc.constant(command("fail", (bench) => bench.fail())),
  fc.constant(command("forget", (bench) => bench.connected && bench.forget())),
  fc.constant(command("told", (bench) => bench.tell())),
  fc.constant(command("doubt", (bench) => bench.doubt())),
  fc.constant(command("sent", (bench) => bench.connected && bench.sent())),
  fc
    .constantFrom<Action>("BootNotification", "Heartbeat", "MeterValues")
    .map((action) => command(`trigger ${action}`, (bench) => bench.trigger(action))),
  fc
    .integer({ min: second, max: day })
    .map((heartbeatMs) => command(`configure ${heartbeatMs}`, (bench) => bench.configure(heartbeatMs))),
  fc.oneof(fc.nat(2 * minute), fc.nat(2 * day)).map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms))),
];

describe("Registration, whatever happens", () => {
  test("sends one thing at a time and only what it may, is never late and never stuck, and asks for the time first when that is in doubt [CORE-BOOT-02] [CORE-BOOT-05] [CORE-BOOT-06] [CORE-BOOT-07] [CORE-BOOT-09] [CORE-BOOT-12] [CORE-BOOT-13] [CORE-HB-01] [CORE-HB-02] [CORE-HB-08] [J-157] [J-160] [J-212] [J-214]", () => {
    fc.assert(
      fc.property(fc.commands(commands, { size: "+1", maxCommands: 60 }), (steps) => {
        const bench = new Bench();
        fc.modelRun(() => ({ model: {}, real: bench }), steps);
        // Whatever has happened, a Central System that accepts it now accepts it.
        bench.connect();
        bench.settle();
        for (let rounds = 0; bench.state !== "Accepted"; rounds++) {
          expect(rounds, "rounds without being accepted").toBeLessThan(5);
          if (bench.unanswered === "boot") bench.answer("Accepted", 300);
          else if (bench.unanswered === "heartbeat") bench.fail();
          else bench.pass(day);
          bench.settle();
        }
      }),
      { numRuns: 400 },
    );
  });
});
