import fc from "fast-check";
import { expect, test } from "vitest";
import { FileUpload, type LogStatus, type UploadFailure } from "../../src/files/file-upload.ts";

const minute = 60_000;
const failures: readonly UploadFailure[] = ["BadMessage", "NotSupportedOperation", "PermissionDenied", "UploadFailure"];

const step = fc.oneof(
  fc.record({ retries: fc.nat(2) }),
  fc.record({ outcome: fc.constantFrom("Uploaded" as const, ...failures) }),
  fc.record({ ms: fc.nat(3 * minute) }),
  fc.constant({ cut: true }),
);

test("each upload that was begun ends with exactly one of Uploaded and a failure, with its requestId [FM-01] [FM-13] [FM-14] [SEC-N01-07] [SEC-N01-08] [SEC-N01-09] [SEC-N01-10]", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let upload = new FileUpload();
      let now = 0;
      let runs = false;
      let requests = 0;
      let kept: { readonly requestId?: number | undefined } | undefined;
      const told: { readonly status: LogStatus; readonly requestId: number | undefined }[] = [];
      const take = (): void => {
        for (let output = upload.poll(); output !== undefined; output = upload.poll()) {
          if (output.type === "status") told.push(output);
          else if (output.type === "keep") kept = output.upload;
          else {
            expect(runs && output.type === "upload", "two at once").toBe(false);
            runs = output.type === "upload";
          }
        }
      };
      const ended = (outcome: "Uploaded" | UploadFailure): void => {
        if (!runs) return;
        runs = false;
        upload.uploaded(outcome, now);
        take();
      };
      for (const each of steps) {
        if ("retries" in each) {
          const requestId = ++requests;
          const { retries } = each;
          upload.requested(
            { url: "http://h/", source: "/f", fileName: "f", requestId },
            { retries, retryInterval: 60 },
          );
        } else if ("outcome" in each) ended(each.outcome);
        else if ("ms" in each) {
          now += each.ms;
          upload.advance(now);
        } else {
          upload = new FileUpload();
          runs = false;
          if (kept !== undefined) upload.interrupted(kept);
        }
        take();
      }
      for (let more = 0; more < 5; more++) {
        ended("PermissionDenied");
        now += 2 * minute;
        upload.advance(now);
        take();
      }
      ended("Uploaded");
      expect([upload.status, kept]).toEqual([{ status: "Idle" }, undefined]);
      for (let requestId = 1; requestId <= requests; requestId++) {
        const [first, ...rest] = told.filter((each) => each.requestId === requestId).map(({ status }) => status);
        expect(first).toBe("Uploading");
        expect(rest).toHaveLength(1);
        expect(["Uploaded", ...failures]).toContain(rest[0]);
      }
      expect(told).toHaveLength(2 * requests);
    }),
    { numRuns: 500 },
  );
});
