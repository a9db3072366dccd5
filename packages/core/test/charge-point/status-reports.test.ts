import { describe, expect, test } from "vitest";
import { StatusReports } from "../../src/charge-point/status-reports.ts";
import type { Req } from "../../src/messages/actions.ts";
import { Site } from "./site.ts";

type Status = Req<"StatusNotification">;

const statusOf = (connectorId: number, status: Status["status"]): Status => ({
  connectorId,
  status,
  errorCode: "NoError",
});

const inWords = (statuses: readonly Status[]): string[] =>
  statuses.map(({ connectorId, status }) => `${connectorId} ${status}`);

const expectDue = (reports: StatusReports, ...expected: string[]): void =>
  expect(inWords(reports.take().map(({ status }) => status))).toEqual(expected);

/** Connectors 2, 0 and 1 have become available, in this order, and nothing is due. */
function reported(): StatusReports {
  const reports = new StatusReports();
  for (const connectorId of [2, 0, 1]) reports.changed(statusOf(connectorId, "Available"));
  reports.take();
  return reports;
}

describe("StatusReports, what is due", () => {
  test("is each change, once, in the order of the events [CORE-STAT-01] [CORE-STAT-20] [CORE-STAT-23]", () => {
    const reports = reported();
    expectDue(reports);
    reports.changed(statusOf(2, "Preparing"));
    reports.changed(statusOf(1, "Preparing"));
    expectDue(reports, "2 Preparing", "1 Preparing");
    expectDue(reports);
  });

  test("is only the newest of each connector, in the order of these [CORE-STAT-20] [CORE-STAT-22] [CORE-STAT-23] [J-213]", () => {
    const reports = reported();
    reports.changed(statusOf(2, "Preparing"));
    reports.changed(statusOf(1, "Preparing"));
    reports.changed(statusOf(2, "Charging"));
    expectDue(reports, "1 Preparing", "2 Charging");
  });

  test("is every connector when the Central System has accepted the Charge Point, by number, with its present status [CORE-BOOT-08] [CORE-STAT-02]", () => {
    const reports = reported();
    reports.changed(statusOf(1, "Faulted"));
    reports.changed(statusOf(10, "Available"));
    reports.accepted();
    expectDue(reports, "0 Available", "1 Faulted", "2 Available", "10 Available");
    expectDue(reports);
  });

  test("is nothing before anything was reported", () => {
    const reports = new StatusReports();
    reports.accepted();
    expectDue(reports);
  });
});

describe("StatusReports, what waits for its turn", () => {
  test("is taken back when a newer status of its connector comes, and only then [CORE-STAT-22] [CORE-STAT-23]", () => {
    const reports = reported();
    reports.changed(statusOf(2, "Preparing"));
    reports.changed(statusOf(1, "Preparing"));
    const [two, one] = reports.take();
    reports.changed(statusOf(2, "Charging"));
    expect([two?.superseded.aborted, one?.superseded.aborted]).toEqual([true, false]);
    expectDue(reports, "2 Charging");
  });

  test("is taken back at an acceptance, after which all are sent once [CORE-BOOT-08]", () => {
    const reports = reported();
    reports.changed(statusOf(1, "Preparing"));
    const [waiting] = reports.take();
    reports.accepted();
    expect(waiting?.superseded.aborted).toBe(true);
    expectDue(reports, "0 Available", "1 Preparing", "2 Available");
  });
});

describe("StatusReports.lost", () => {
  test("makes a status due again, in its place among the events [CORE-STAT-20] [CORE-STAT-23] [J-213]", () => {
    const reports = reported();
    reports.changed(statusOf(2, "Preparing"));
    reports.changed(statusOf(0, "Unavailable"));
    const taken = reports.take();
    reports.changed(statusOf(1, "Faulted"));
    for (const report of [...taken].reverse()) reports.lost(report);
    expectDue(reports, "2 Preparing", "0 Unavailable", "1 Faulted");
  });

  test("leaves a status that is history unsent [CORE-STAT-22] [J-213]", () => {
    const reports = reported();
    reports.changed(statusOf(2, "Preparing"));
    const taken = reports.take();
    reports.changed(statusOf(2, "Charging"));
    expectDue(reports, "2 Charging");
    for (const report of taken) reports.lost(report);
    expectDue(reports);
  });

  test("knows a status again whose timestamp was amended meanwhile", () => {
    const reports = new StatusReports();
    reports.changed(statusOf(1, "Faulted"), true);
    const [taken] = reports.take();
    reports.amended((status) => ({ ...status, timestamp: "2026-01-01T00:00:00Z" }));
    if (taken !== undefined) reports.lost(taken);
    expectDue(reports, "1 Faulted");
  });
});

describe("StatusReports.unanswered", () => {
  /** A status of connector 1 that was sent, and not answered in time. */
  function silence() {
    const reports = reported();
    reports.changed(statusOf(1, "Faulted"));
    const report = reports.take()[0];
    if (report === undefined) throw new Error("Nothing was due.");
    reports.unanswered(report);
    return { reports, report };
  }

  test("makes a status due once more on a connection, and again on the next [CORE-STAT-20]", () => {
    const { reports, report } = silence();
    expectDue(reports, "1 Faulted");
    for (let times = 0; times < 2; times++) {
      reports.unanswered(report);
      expectDue(reports);
    }
    reports.disconnected();
    expectDue(reports, "1 Faulted");
    reports.unanswered(report);
    expectDue(reports, "1 Faulted");
  });

  test("makes what was sent on an earlier connection due once, and nothing that was answered", () => {
    const { reports } = silence();
    reports.disconnected();
    expectDue(reports, "1 Faulted");
    reports.disconnected();
    expectDue(reports);
  });

  test("leaves a status that is history unsent [CORE-STAT-22]", () => {
    const reports = reported();
    reports.changed(statusOf(1, "Faulted"));
    const [old] = reports.take();
    reports.changed(statusOf(1, "Available"));
    if (old !== undefined) reports.unanswered(old);
    expectDue(reports, "1 Available");
    reports.disconnected();
    expectDue(reports);
  });
});

describe("StatusReports.amended", () => {
  test("changes what was stamped here, and leaves what the owner said", () => {
    const reports = new StatusReports();
    reports.changed(statusOf(1, "Available"), true);
    reports.changed({ ...statusOf(2, "Available"), timestamp: "2026-01-01T00:00:00Z" });
    reports.amended((status) => ({ ...status, timestamp: "amended" }));
    expect(reports.of(undefined).map(({ timestamp }) => timestamp)).toEqual(["amended", "2026-01-01T00:00:00Z"]);
    reports.accepted();
    reports.amended((status) => ({ ...status, timestamp: "twice" }));
    expect(reports.of(undefined).map(({ timestamp }) => timestamp)).toEqual(["twice", "2026-01-01T00:00:00Z"]);
  });

  test("leaves what was stamped by a clock that was right [CORE-HB-05]", () => {
    const reports = new StatusReports();
    reports.changed(statusOf(1, "Available"), true);
    reports.changed(statusOf(2, "Available"), true);
    reports.trusted();
    reports.changed(statusOf(2, "Preparing"), true);
    reports.accepted();
    reports.amended((status) => ({ ...status, timestamp: "amended" }));
    expect(reports.of(undefined).map(({ timestamp }) => timestamp)).toEqual([undefined, "amended"]);
  });
});

describe("StatusReports.conflict", () => {
  const at = "2026-01-01T00:00:00Z";
  const told = (reports: StatusReports) =>
    reports
      .take()
      .map(({ status }) => `${status.connectorId} ${status.status} ${status.errorCode} ${status.timestamp ?? "-"}`);

  test("is told of connector 0, with its status, and is not what is repeated at an acceptance [LAL-06]", () => {
    const reports = reported();
    reports.changed(statusOf(0, "Unavailable"));
    reports.conflict(at);
    expect(told(reports)).toEqual(["0 Unavailable NoError -", `0 Unavailable LocalListConflict ${at}`]);
    reports.accepted();
    expect(told(reports)).toEqual(["0 Unavailable NoError -", "1 Available NoError -", "2 Available NoError -"]);
    expect(reports.of(0)).toEqual([statusOf(0, "Unavailable")]);
  });

  test("says Available where nobody has reported connector 0 [LAL-06]", () => {
    const reports = new StatusReports();
    reports.conflict(at);
    expect(told(reports)).toEqual([`0 Available LocalListConflict ${at}`]);
    expect(reports.of(undefined)).toEqual([]);
  });

  test("does not take the place of an error that the owner has reported [LAL-06]", () => {
    const reports = new StatusReports();
    reports.changed({ ...statusOf(0, "Faulted"), errorCode: "GroundFailure", info: "wet" });
    reports.take();
    reports.conflict(at);
    expect(told(reports)).toEqual([`0 Faulted LocalListConflict ${at}`, `0 Faulted GroundFailure ${at}`]);
    expect(reports.of(0)).toMatchObject([{ errorCode: "GroundFailure", info: "wet" }]);
  });

  test("is told before what the owner reports of connector 0 next, and is not lost by that [LAL-06] [CORE-STAT-21] [CORE-STAT-23]", () => {
    const reports = reported();
    reports.conflict(at);
    const [conflict] = reports.take();
    reports.changed(statusOf(0, "Unavailable"));
    expect(conflict?.superseded.aborted).toBe(false);
    if (conflict !== undefined) reports.lost(conflict);
    expect(told(reports)).toEqual([`0 Available LocalListConflict ${at}`, "0 Unavailable NoError -"]);
  });

  test("waits once: a newer one takes its place [LAL-06]", () => {
    const reports = reported();
    reports.conflict(at);
    const [conflict] = reports.take();
    reports.conflict("2026-01-02T00:00:00Z");
    expect(conflict?.superseded.aborted).toBe(true);
    expect(told(reports)).toEqual(["0 Available LocalListConflict 2026-01-02T00:00:00Z"]);
  });
});

describe("StatusReports.corrected", () => {
  const at = "2026-01-01T00:00:00Z";
  const later = "2026-01-01T01:00:00Z";

  test("makes the status of connector 0 due again after a conflict, once [LAL-06]", () => {
    const reports = reported();
    reports.conflict(at);
    reports.take();
    reports.corrected(later);
    expect(reports.take().map(({ status }) => status)).toEqual([{ ...statusOf(0, "Available"), timestamp: later }]);
    reports.corrected(later);
    expectDue(reports);
  });

  test("says Available and NoError where nobody has reported connector 0 [LAL-06]", () => {
    const reports = new StatusReports();
    reports.conflict(at);
    reports.take();
    reports.corrected(later);
    expect(reports.take().map(({ status }) => status)).toEqual([{ ...statusOf(0, "Available"), timestamp: later }]);
  });

  test("does nothing where there was no conflict, or the owner has reported connector 0 since [LAL-06]", () => {
    const reports = reported();
    reports.corrected(later);
    expectDue(reports);
    reports.conflict(at);
    reports.changed(statusOf(0, "Unavailable"));
    reports.take();
    reports.corrected(later);
    expectDue(reports);
  });

  test("takes back a conflict that was not told yet [LAL-06]", () => {
    const reports = reported();
    reports.conflict(at);
    const [waiting] = reports.take();
    reports.corrected(later);
    expect(waiting?.superseded.aborted).toBe(true);
    expectDue(reports, "0 Available");
    reports.conflict(at);
    reports.corrected(later);
    expectDue(reports, "0 Available");
  });
});

describe("StatusReports.of", () => {
  test("tells of all connectors, by number, or of one, the charge point itself too [RT-03] [RT-04]", () => {
    const reports = reported();
    reports.changed(statusOf(10, "Faulted"));
    expect(inWords(reports.of(undefined))).toEqual(["0 Available", "1 Available", "2 Available", "10 Faulted"]);
    expect(inWords(reports.of(0))).toEqual(["0 Available"]);
    expect(inWords(reports.of(10))).toEqual(["10 Faulted"]);
    expect(reports.of(3)).toEqual([]);
  });

  test("takes nothing away from what is due", () => {
    const reports = reported();
    reports.changed(statusOf(2, "Preparing"));
    reports.of(2);
    expectDue(reports, "2 Preparing");
  });
});

describe("ChargePoint.report", () => {
  type Answer = () => Promise<Record<never, unknown>>;
  const never: Answer = () => new Promise(() => {});
  const well: Answer = async () => ({});

  /** A Site that is accepted, and whose Central System answers as a test says. */
  async function started() {
    const site = new Site();
    const answers = { StatusNotification: well, DataTransfer: never as () => Promise<never> };
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("StatusNotification", () => answers.StatusNotification());
      connection.handle("DataTransfer", () => answers.DataTransfer());
    });
    await site.start();
    const told = () =>
      site.received
        .filter(([action]) => action === "StatusNotification")
        .map(([, payload]) => payload as Status)
        .map(({ connectorId, status }) => `${connectorId} ${status}`);
    /** Lets one CALL be on its way, and the others wait behind it. */
    const occupy = (count = 1) => {
      for (let n = 0; n < count; n++) site.chargePoint.call("DataTransfer", { vendorId: "v" }).catch(() => {});
    };
    return { site, answers, told, occupy };
  }

  test("lets one status of each connector wait, the newest, however long nobody answers [CORE-STAT-22] [CORE-STAT-23]", async () => {
    const { site, told, occupy } = await started();
    occupy();
    for (let n = 0; n < 2000; n++) {
      site.chargePoint.report({ connectorId: 1 + (n % 3), status: n % 2 === 0 ? "Preparing" : "Available" });
    }
    site.chargePoint.report({ connectorId: 2, status: "Faulted", errorCode: "GroundFailure" });
    await site.clock.advance(29_999);
    expect(told()).toEqual([]);
    await site.clock.advance(1);
    expect(told()).toEqual(["3 Available", "1 Preparing", "2 Faulted"]);
    expect(site.said("fault")).toEqual([]);
  });

  test("lets the one that is on its way be, and replaces those that wait [CORE-STAT-22]", async () => {
    const { site, answers, told } = await started();
    let answer = (): void => {};
    answers.StatusNotification = () => new Promise((resolve) => (answer = () => resolve({})));
    for (const status of ["Preparing", "Charging", "Finishing", "Available"] as const) {
      site.chargePoint.report({ connectorId: 1, status });
      await site.clock.advance(1);
    }
    expect(told()).toEqual(["1 Preparing"]);
    answer();
    await site.clock.advance(0);
    expect(told()).toEqual(["1 Preparing", "1 Available"]);
  });

  test("finds room when the owner has filled the queue with CALLs of its own", async () => {
    const { site, told, answers, occupy } = await started();
    occupy(1001);
    site.chargePoint.report({ connectorId: 1, status: "Faulted" });
    answers.DataTransfer = async () => ({ status: "Accepted" }) as never;
    await site.clock.advance(30_000);
    expect(told()).toEqual(["1 Faulted"]);
    expect(site.said("fault")).toEqual([]);
  });

  test.each([
    ["a CALLERROR", "CallError", (id: string) => [4, id, "GenericError", "", {}]],
    ["nonsense", "PayloadError", (id: string) => [3, id, "nonsense"]],
    ["a CALLRESULT without payload", "PayloadError", (id: string) => [3, id]],
  ])(
    "tells of %s as a fault, also of a status that is history, and does not send it again [J-213]",
    async (_, name, answer) => {
      const { site, answers, told } = await started();
      answers.StatusNotification = never;
      site.chargePoint.report({ connectorId: 1, status: "Preparing" });
      site.chargePoint.report({ connectorId: 1, status: "Charging" });
      for (let count = 1; count <= 2; count++) {
        await site.clock.advance(0);
        expect(told()).toHaveLength(count);
        const messageId = site.frames.at(-1)?.frame.messageId ?? "";
        site.link.centralSystem.send(JSON.stringify(answer(messageId)));
        await site.clock.advance(0);
      }
      const fault = { action: "StatusNotification", error: { name } };
      expect(site.said("fault")).toMatchObject([fault, fault]);
      answers.StatusNotification = well;
      site.link.chargePoint.drop();
      await site.clock.advance(1_000_000);
      expect(told()).toEqual(["1 Preparing", "1 Charging"]);
    },
  );

  test("sends again on the next connection what was lost with one, before what the queue holds [CORE-STAT-20] [J-163]", async () => {
    const { site, answers, told } = await started();
    const transaction = { transactionId: 1, idTagInfo: { status: "Accepted" } } as const;
    site.centralSystem.handle("StartTransaction", () => transaction);
    answers.StatusNotification = never;
    for (const connectorId of [1, 2, 3]) site.chargePoint.report({ connectorId, status: "Preparing" });
    await site.clock.advance(0);
    site.chargePoint.report({ connectorId: 2, status: "Charging" });
    site.chargePoint.startTransaction({ connectorId: 2, idTag: "TAG", meterStart: 0 });
    site.link.chargePoint.drop();
    answers.StatusNotification = well;
    await site.clock.advance(5000);
    expect(told()).toEqual(["1 Preparing", "1 Preparing", "3 Preparing", "2 Charging"]);
    expect(site.actions.slice(2)).toEqual([
      "Heartbeat",
      "StatusNotification",
      "StatusNotification",
      "StatusNotification",
      "StartTransaction",
    ]);
  });

  test("sends again what nobody answered when somebody is there again, once on a connection [CORE-STAT-20] [J-153] [J-213]", async () => {
    const { site, answers, told } = await started();
    answers.StatusNotification = never;
    site.chargePoint.report({ connectorId: 1, status: "Faulted" });
    await site.clock.advance(29_999);
    expect(told()).toEqual(["1 Faulted"]);
    await site.clock.advance(1);
    expect(site.actions.slice(-2)).toEqual(["Heartbeat", "StatusNotification"]);
    await site.clock.advance(3_600_000);
    expect(told()).toEqual(["1 Faulted", "1 Faulted"]);
    expect(site.said("fault")).toMatchObject([
      { error: { name: "CallTimeoutError" } },
      { error: { name: "CallTimeoutError" } },
    ]);
    site.link.chargePoint.drop();
    answers.StatusNotification = well;
    await site.clock.advance(5000);
    expect(told()).toHaveLength(3);
    site.link.chargePoint.drop();
    await site.clock.advance(5000);
    expect(told()).toHaveLength(3);
  });

  test("sends on the next connection what a silent Central System did not answer [CORE-STAT-20] [J-154]", async () => {
    const { site, answers, told } = await started();
    answers.StatusNotification = never;
    const beats = { answer: never as () => Promise<never> };
    site.centralSystem.get("CP001")?.handle("Heartbeat", () => beats.answer());
    site.chargePoint.report({ connectorId: 1, status: "Faulted" });
    await site.clock.advance(60_000);
    expect(site.said("disconnected")).toHaveLength(1);
    answers.StatusNotification = well;
    await site.clock.advance(5000);
    expect(told()).toEqual(["1 Faulted", "1 Faulted"]);
  });

  test("sends what a TriggerMessage asks for, although the same status waits [RT-03]", async () => {
    const { site, told, occupy } = await started();
    site.chargePoint.report({ connectorId: 1, status: "Preparing" });
    await site.clock.advance(0);
    occupy();
    const ask = () =>
      site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "StatusNotification" });
    void ask()?.then(ask);
    await site.clock.advance(10);
    site.chargePoint.report({ connectorId: 1, status: "Charging" });
    await site.clock.advance(30_000);
    expect(told()).toEqual(["1 Preparing", "1 Preparing", "1 Preparing", "1 Charging"]);
  });

  test("stamps what has no timestamp, and leaves one that is given, when the Central System first tells the time [CORE-BOOT-04] [CORE-TIME-04]", async () => {
    const site = new Site();
    site.behaviour.aheadMs = 3_600_000;
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    site.chargePoint.report({ connectorId: 2, status: "Available", timestamp: undefined } as never);
    site.chargePoint.report({ connectorId: 3, status: "Available", timestamp: "2026-01-01T00:30:00.000Z" });
    await site.start();
    expect(site.received.slice(1)).toMatchObject([
      ["StatusNotification", { connectorId: 1, timestamp: "2026-01-01T01:00:00.000Z" }],
      ["StatusNotification", { connectorId: 2, timestamp: "2026-01-01T01:00:00.000Z" }],
      ["StatusNotification", { connectorId: 3, timestamp: "2026-01-01T00:30:00.000Z" }],
    ]);
  });
});
