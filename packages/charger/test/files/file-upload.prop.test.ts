import fc from "fast-check";
import { expect, test } from "vitest";
import { FileUpload, failureOf, type UploadRecord } from "../../src/files/file-upload.ts";

const minute = 60_000;
const failures = ["UploadFailure", "BadMessage", "PermissionDenied", "NotSupportedOperation"] as const;
const cutAfter = fc.option(fc.nat(3), { nil: undefined, freq: 9 });
const step = fc.oneof(
  fc.record({ do: fc.constant("request" as const), retries: fc.nat(2), cutAfter }),
  fc.record({ do: fc.constant("end" as const), end: fc.constantFrom("Uploaded" as const, ...failures), cutAfter }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.nat(3 * minute) }),
  fc.record({ do: fc.constant("cut" as const) }),
);

test("each upload that was begun ends with exactly one end, and with its requestId, also when the power fails between two outputs [FM-01] [FM-13] [FM-14] [SEC-N01-07] [SEC-N01-08] [SEC-N01-11]", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
      let upload = new FileUpload();
      let now = 0;
      let runs = false;
      let kept: UploadRecord | undefined;
      let hasLost = false;
      const requested: number[] = [];
      const told: { readonly requestId: number | undefined; readonly status: string }[] = [];
      const take = (left = Number.POSITIVE_INFINITY): void => {
        let more = left;
        for (let output = upload.poll(); output !== undefined; output = upload.poll()) {
          if (more-- <= 0) {
            hasLost = true;
            cut();
            return;
          }
          if (output.type === "status") told.push(output);
          else if (output.type === "keep") kept = output.record;
          else runs = output.type === "upload";
        }
      };
      const cut = (): void => {
        upload = new FileUpload();
        runs = false;
        if (kept !== undefined) upload.restored(kept);
        take();
      };
      const ended = (end: Parameters<FileUpload["uploaded"]>[0], left?: number): void => {
        if (!runs) return;
        runs = false;
        upload.uploaded(end, now);
        take(left);
      };
      for (const each of steps) {
        if (each.do === "request") {
          const requestId = requested.length;
          requested.push(requestId);
          const wanted = { url: "http://h/", file: "/f", fileName: "f", requestId };
          upload.requested(wanted, { retries: each.retries, retryInterval: 60 });
          take(each.cutAfter);
        } else if (each.do === "end") ended(each.end, each.cutAfter);
        else if (each.do === "cut") cut();
        else {
          now += each.ms;
          upload.advance(now);
          take();
        }
      }
      for (let more = 0; more < 5; more++) {
        ended("UploadFailure");
        now += 2 * minute;
        upload.advance(now);
        take();
      }
      ended("Uploaded");
      expect([upload.underWay, kept]).toEqual([undefined, undefined]);
      for (const id of requested) {
        const statuses = told.filter(({ requestId }) => requestId === id).map(({ status }) => status);
        // The power may have failed before it was told, or before it was known to be told.
        if (hasLost) expect(new Set(statuses.filter((status) => status !== "Uploading")).size).toBeLessThan(2);
        else expect(statuses).toEqual(["Uploading", expect.not.stringMatching("Uploading")]);
      }
    }),
    { numRuns: 500 },
  );
});

test.each([
  [{ reason: "PermissionDenied" }, "PermissionDenied"],
  [{ reason: "BadMessage" }, "BadMessage"],
  [{ reason: "NotSupportedOperation" }, "NotSupportedOperation"],
  [{ reason: "toString" }, "UploadFailure"],
  [{ reason: 7 }, "UploadFailure"],
  ["no error", "UploadFailure"],
  [undefined, "UploadFailure"],
])("an upload that is rejected with %o has ended with %s [SEC-N01-10]", (error, end) => {
  expect(failureOf(error)).toBe(end);
});
