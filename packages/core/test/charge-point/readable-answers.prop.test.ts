import { arbitraryConf } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  readBootNotificationConf,
  readHeartbeatConf,
  readIdTagInfo,
  readStartTransactionConf,
} from "../../src/charge-point/readable-answers.ts";
import type { Conf } from "../../src/messages/actions.ts";
import { parseConf } from "../../src/messages/validate.ts";

/** Anything, and objects that have the fields with anything in them. */
const anything = fc.oneof(
  { weight: 1, arbitrary: fc.anything() },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        status: fc.oneof(fc.constantFrom("Accepted", "Pending", "Rejected"), fc.anything()),
        interval: fc.oneof(fc.double(), fc.double().map(String), fc.anything()),
        currentTime: fc.oneof(
          fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(0, 23)),
          fc.anything(),
        ),
        transactionId: fc.oneof(fc.integer(), fc.integer().map(String), fc.anything()),
        idTagInfo: fc.oneof(
          fc.record({ status: fc.constantFrom("Accepted", "Blocked", 7), expiryDate: fc.anything() }),
          fc.anything(),
        ),
      },
      { requiredKeys: [] },
    ),
  },
);

describe("What is read of an answer", () => {
  it("is strict, whatever was answered, and reading never throws [CORE-TIME-05]", () => {
    fc.assert(
      fc.property(anything, (payload) => {
        const time = "2026-01-01T00:00:00Z";
        const boot = readBootNotificationConf(payload);
        if (boot !== undefined) {
          const { currentTime = time } = boot;
          parseConf("BootNotification", { ...boot, currentTime }, "remote");
        }
        parseConf("Heartbeat", { currentTime: readHeartbeatConf(payload).currentTime ?? time }, "remote");
        const idTagInfo = readIdTagInfo(payload);
        if (idTagInfo !== undefined) parseConf("Authorize", { idTagInfo }, "remote");
        const start = readStartTransactionConf(payload);
        if (start !== undefined) {
          parseConf("StartTransaction", { idTagInfo: { status: "Invalid" }, ...definedOf(start) }, "remote");
        }
      }),
    );
  });

  it("is the answer itself where nothing is wrong with it", () => {
    fc.assert(
      fc.property(
        arbitraryConf("BootNotification"),
        arbitraryConf("Heartbeat"),
        arbitraryConf("StartTransaction"),
        arbitraryConf("Authorize"),
        (boot, heartbeat, start, authorize) => {
          expect(readBootNotificationConf(boot)).toEqual(boot);
          expect(readHeartbeatConf(heartbeat)).toEqual(heartbeat);
          expect(readStartTransactionConf(start)).toEqual(start);
          expect(readIdTagInfo(authorize)).toEqual(authorize.idTagInfo);
        },
      ),
    );
  });

  it("does not depend on fields that nobody knows, nor on what is wrong with other fields", () => {
    fc.assert(
      fc.property(
        arbitraryConf("BootNotification"),
        arbitraryConf("StartTransaction"),
        fc.anything(),
        (a, b, nonsense) => {
          const { status, interval } = a as Conf<"BootNotification">;
          expect(readBootNotificationConf({ ...a, currentTime: [nonsense], more: nonsense })).toEqual({
            status,
            interval,
            currentTime: undefined,
          });
          expect(readBootNotificationConf({ ...a, interval: [nonsense] })).toEqual({ ...a, interval: 0 });
          expect(readStartTransactionConf({ ...b, more: nonsense, idTagInfo: [nonsense] })).toEqual({
            transactionId: b.transactionId,
            idTagInfo: undefined,
          });
        },
      ),
    );
  });
});

/** `idTagInfo` is left out where there is none. */
const definedOf = ({ idTagInfo, ...start }: NonNullable<ReturnType<typeof readStartTransactionConf>>) =>
  idTagInfo === undefined ? start : { ...start, idTagInfo };
