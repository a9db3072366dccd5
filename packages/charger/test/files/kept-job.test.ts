import { expect, test } from "vitest";
import { readJob } from "../../src/files/kept-job.ts";

const firmware = { phase: "waiting", url: "http://h/f", retrieveAt: 0, retriesLeft: 1, version: "1" };

test.each([
  ["firmware", { firmware }],
  ["diagnostics", { upload: "diagnostics" }],
  ["log", { upload: "log", requestId: 1, ended: "Uploaded" }],
])("a record of %s is read as it was written: %o", (name, record) => {
  expect(readJob(name, record)).toBe(record);
});

test.each([
  ["firmware", undefined],
  ["firmware", null],
  ["firmware", { firmware: { ...firmware, phase: "none" } }],
  ["firmware", { firmware: { ...firmware, retriesLeft: "1" } }],
  ["firmware", { firmware: { ...firmware, url: undefined } }],
  ["firmware", { upload: "log" }],
  ["log", { upload: "diagnostics" }],
  ["log", { firmware }],
  ["other", { upload: "other" }],
])("nonsense is not read as one of %s: %o", (name, record) => {
  expect(readJob(name, record)).toBeUndefined();
});
