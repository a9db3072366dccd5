import { describe, expect, test } from "vitest";
import { StatusReports } from "../../src/charge-point/status-reports.ts";
import type { Req } from "../../src/messages/actions.ts";

type Status = Req<"StatusNotification">;

const statusOf = (connectorId: number, status: Status["status"]): Status => ({
  connectorId,
  status,
  errorCode: "NoError",
});

const inWords = (statuses: readonly Status[]): string[] =>
  statuses.map(({ connectorId, status }) => `${connectorId} ${status}`);

const expectDue = (reports: StatusReports, ...expected: string[]): void =>
  expect(inWords(reports.take())).toEqual(expected);

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

describe("StatusReports.lost", () => {
  test("makes a status due again, in its place among the events [CORE-STAT-20] [CORE-STAT-23] [J-213]", () => {
    const reports = reported();
    reports.changed(statusOf(2, "Preparing"));
    reports.changed(statusOf(0, "Unavailable"));
    const taken = reports.take();
    reports.changed(statusOf(1, "Faulted"));
    for (const status of [...taken].reverse()) reports.lost(status);
    expectDue(reports, "2 Preparing", "0 Unavailable", "1 Faulted");
  });

  test("leaves a status that is history unsent [CORE-STAT-22] [J-213]", () => {
    const reports = reported();
    reports.changed(statusOf(2, "Preparing"));
    const taken = reports.take();
    reports.changed(statusOf(2, "Charging"));
    expectDue(reports, "2 Charging");
    for (const status of taken) reports.lost(status);
    expectDue(reports);
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
