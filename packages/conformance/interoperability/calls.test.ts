import { CallError, CallTimeoutError, type ErrorCode, errorCodes, type Role } from "@ocppj/core";
import { createRPCError, type RPCError } from "ocpp-rpc";
import { describe, expect, test } from "vitest";
import { deferred } from "./moments.ts";
import { type Pair, pairings, peerOf } from "./pair.ts";

/** What each role calls in these tests, with a payload that says which call it is. */
const call = (pair: Pair, from: Role, number = 1): Promise<unknown> =>
  pair[from].call("DataTransfer", { vendorId: "com.example", data: `${number}` });

const confOf = (req: unknown) => ({ status: "Accepted", data: `answer ${(req as { data: string }).data}` });

const codes = Object.keys(errorCodes) as ErrorCode[];

/** How ocpp-rpc rejects after a CALLERROR. */
async function errorAtTheirs(answer: Promise<unknown>) {
  const error = await answer.then(
    () => expect.fail("It was answered with a CALLRESULT."),
    (error: RPCError & { readonly details: unknown }) => error,
  );
  return { code: error.rpcErrorCode, description: error.message, details: error.details };
}

describe.each(pairings)("%s", (_, pairing) => {
  test.each(codes)("a CALLERROR %s of ocppj arrives with its description and details [J-081] [J-082] [J-083]", (code) =>
    pairing(async (pair) => {
      const ours = pair.ours.role;
      pair[ours].answerWith(() => {
        throw new CallError(code, "Überlast 🔌", { details: { limit: 3, list: ["é"] } });
      });
      expect(await errorAtTheirs(call(pair, peerOf(ours)))).toEqual({
        code,
        description: "Überlast 🔌",
        details: { limit: 3, list: ["é"] },
      });
    }),
  );

  test.each(codes)(
    "a CALLERROR %s of ocpp-rpc arrives with its description and details [J-081] [J-085] [J-086]",
    (code) =>
      pairing(async (pair) => {
        const ours = pair.ours.role;
        pair[peerOf(ours)].answerWith(() => {
          throw createRPCError(code, "Überlast 🔌", { limit: 3, list: ["é"] });
        });
        const error = await call(pair, ours).catch((error: unknown) => error);
        expect(error).toBeInstanceOf(CallError);
        expect(error).toMatchObject({ code, description: "Überlast 🔌", details: { limit: 3, list: ["é"] } });
        // ocpp-rpc takes erratum 5.1 for a correction and sends the spelling of later versions.
        const received = code === "OccurenceConstraintViolation" ? "OccurrenceConstraintViolation" : code;
        expect(error).toHaveProperty("receivedCode", received);
      }),
  );

  test.each([
    // ocpp-rpc itself turns this one into the word of 1.6.
    ["FormatViolation", "FormationViolation", "FormationViolation"],
    ["RpcFrameworkError", "GenericError", "RpcFrameworkError"],
    ["MessageTypeNotSupported", "GenericError", "MessageTypeNotSupported"],
  ])("the code %s of OCPP 2.x counts as %s [J-086] [trap 16]", (thrown, code, receivedCode) =>
    pairing(async (pair) => {
      pair[peerOf(pair.ours.role)].answerWith(() => {
        throw createRPCError(thrown);
      });
      await expect(call(pair, pair.ours.role)).rejects.toMatchObject({ code, receivedCode });
    }),
  );

  test("a handler of ocppj that throws is an InternalError without any detail of it [J-072] [J-083]", () =>
    pairing(async (pair) => {
      const ours = pair.ours.role;
      pair[ours].answerWith(() => {
        throw new Error("secret");
      });
      const error = await errorAtTheirs(call(pair, peerOf(ours)));
      expect(error).toEqual({ code: "InternalError", description: expect.not.stringContaining("secret"), details: {} });
      expect(pair.complaints.splice(0)).toEqual(["ocppj: fault: Error: secret"]);
    }));

  test("an invalid answer of an application at either end becomes an InternalError and is never sent [J-061]", () =>
    pairing(async (pair) => {
      for (const role of ["ChargePoint", "CentralSystem"] as const)
        pair[role].answerWith(() => ({ status: "Perhaps" }));
      await expect(call(pair, pair.ours.role)).rejects.toMatchObject({ code: "InternalError" });
      expect(pair.complaints.splice(0)).toEqual([expect.stringMatching(/^ocpp-rpc: its own DataTransfer\.conf/)]);
      const error = await errorAtTheirs(call(pair, peerOf(pair.ours.role)));
      expect(error).toEqual({ code: "InternalError", description: expect.any(String), details: {} });
      expect(pair.complaints.splice(0)).toEqual([
        expect.stringMatching(/^ocppj: fault: PayloadError.*DataTransfer\.conf/),
      ]);
    }));

  test("an action that OCPP 1.6 does not have is NotImplemented by ocppj [J-060] [J-070]", () =>
    pairing(
      async (pair) => {
        const error = await errorAtTheirs(pair[peerOf(pair.ours.role)].call("SelfDestruct", {}));
        expect(error.code).toBe("NotImplemented");
        expect(pair.complaints.splice(0)).toEqual([expect.stringMatching(/^ocppj: unknown-action/)]);
      },
      // In strict mode ocpp-rpc sends nothing that it has no schema for.
      { theirs: { strictMode: false } },
    ));

  test("an action without a handler is NotSupported by ocppj and NotImplemented by ocpp-rpc [J-070] [J-071]", () =>
    pairing(
      async (pair) => {
        const error = await errorAtTheirs(call(pair, peerOf(pair.ours.role)));
        expect(error.code).toBe("NotSupported");
        expect(pair.complaints.splice(0)).toEqual([expect.stringMatching(/^ocppj: fault: Error: There is no handler/)]);
        pair.theirs.removeAllHandlers();
        await expect(call(pair, pair.ours.role)).rejects.toMatchObject({ code: "NotImplemented" });
      },
      { unsupported: "DataTransfer" },
    ));

  test.each([
    ["no object [J-098]", "text", "FormationViolation"],
    ["an unknown field [J-091]", { vendorId: "x", vendorExtension: 1 }, "FormationViolation"],
    ["a field missing [J-090]", { data: "x" }, "ProtocolError"],
    ["a wrong type [J-092]", { vendorId: 1 }, "TypeConstraintViolation"],
    ["null for a field [J-123]", { vendorId: "x", data: null }, "TypeConstraintViolation"],
    ["a text too long [J-094]", { vendorId: "x".repeat(256) }, "PropertyConstraintViolation"],
  ])("ocppj refuses a payload, without repeating any of it [trap 15], with %s", (_, req, code) =>
    pairing(
      async (pair) => {
        const error = await errorAtTheirs(pair[peerOf(pair.ours.role)].call("DataTransfer", req));
        expect(error).toEqual({ code, description: expect.stringMatching(/^(the payload|\w+) /), details: {} });
        expect(pair.complaints.splice(0)).toEqual([expect.stringMatching(/^ocppj: payload/)]);
      },
      { theirs: { strictMode: false } },
    ),
  );

  test("a wrong payload is not sent by ocppj, so ocpp-rpc never sees one [J-066]", () =>
    pairing(async (pair) => {
      await expect(pair[pair.ours.role].call("DataTransfer", { vendorId: 1 })).rejects.toMatchObject({
        name: "PayloadError",
        origin: "local",
      });
    }));

  test("a CALL of ocppj that is not answered in time rejects, and its late answer disturbs nobody [J-102] [J-110] [trap 9]", () =>
    pairing(
      async (pair) => {
        const ours = pair.ours.role;
        const late = deferred<unknown>();
        const sent = deferred();
        pair[peerOf(ours)].answerWith(() => late.promise);
        pair.theirs.on("response", ({ outbound }) => outbound && sent.resolve());
        await expect(call(pair, ours)).rejects.toBeInstanceOf(CallTimeoutError);
        late.resolve({ status: "Accepted", data: "late" });
        await sent.promise;
        pair[peerOf(ours)].answerWith((_, req) => confOf(req));
        expect(await call(pair, ours, 2)).toEqual({ status: "Accepted", data: "answer 2" });
        expect(pair.complaints.splice(0)).toEqual([expect.stringMatching(/^ocppj: late-answer/)]);
      },
      { ours: { timeoutMs: 300 } },
    ));

  test("a CALL of ocpp-rpc that ocppj answers too late leaves the connection usable [J-065] [J-110]", () =>
    pairing(
      async (pair) => {
        const theirs = peerOf(pair.ours.role);
        const late = deferred<unknown>();
        const complained = deferred();
        pair[pair.ours.role].answerWith(() => late.promise);
        await expect(call(pair, theirs)).rejects.toThrow("Call timeout");
        pair.theirs.once("badMessage", () => complained.resolve());
        late.resolve({ status: "Accepted", data: "late" });
        await complained.promise;
        pair[pair.ours.role].answerWith((_, req) => confOf(req));
        expect(await call(pair, theirs, 2)).toEqual({ status: "Accepted", data: "answer 2" });
        // For ocpp-rpc a late answer is a bad message; it can be told to count them and hang up.
        expect(pair.complaints.splice(0)).toEqual([expect.stringContaining("CALLRESULT for unrecognised message ID")]);
      },
      { theirs: { callTimeoutMs: 300 } },
    ));

  test("CALLs that cross are answered, each with its own answer [J-052] [J-053] [J-105] [J-106]", () =>
    pairing(async (pair) => {
      const roles = ["ChargePoint", "CentralSystem"] as const;
      for (const role of roles) pair[role].answerWith((_, req) => confOf(req));
      const numbers = Array.from({ length: 50 }, (_, number) => number);
      const answers = await Promise.all(roles.flatMap((role) => numbers.map((number) => call(pair, role, number))));
      expect(answers).toEqual([...numbers, ...numbers].map((data) => confOf({ data })));
    }));

  test("ocppj has one CALL outstanding, however many are made at once [J-100]", () =>
    pairing(async (pair) => {
      const ours = pair.ours.role;
      let served = 0;
      const seen: number[] = [];
      pair[peerOf(ours)].answerWith(async (_, req) => {
        seen.push(++served);
        await new Promise(setImmediate);
        served--;
        return confOf(req);
      });
      await Promise.all([1, 2, 3, 4, 5].map((number) => call(pair, ours, number)));
      expect(seen).toEqual([1, 1, 1, 1, 1]);
    }));

  test("ocppj serves CALLs that ocpp-rpc sends without waiting for answers, and answers them as they are done [J-108]", () =>
    pairing(
      async (pair) => {
        const waiting: (() => void)[] = [];
        pair[pair.ours.role].answerWith(
          (_, req) =>
            new Promise((resolve) => {
              waiting.push(() => resolve(confOf(req)));
              if (waiting.length === 5) for (const answer of waiting.reverse()) answer();
            }),
        );
        const numbers = [1, 2, 3, 4, 5];
        const answers = await Promise.all(numbers.map((number) => call(pair, peerOf(pair.ours.role), number)));
        expect(answers).toEqual(numbers.map((data) => confOf({ data })));
      },
      { theirs: { callConcurrency: 5 } },
    ));

  test("a handler of either end may call the other end back before it answers [J-105] [J-106] [trap 10]", () =>
    pairing(async (pair) => {
      for (const role of ["ChargePoint", "CentralSystem"] as const) {
        pair[role].answerWith(async (_, req) => {
          const { data } = req as { data: string };
          return data === "0" ? confOf(req) : await call(pair, role, Number(data) - 1);
        });
      }
      // ocpp-rpc sends its next CALL after the answer to the one before, so one way there and one back is all there is.
      expect(await call(pair, pair.ours.role, 1)).toEqual(confOf({ data: 0 }));
      expect(await call(pair, peerOf(pair.ours.role), 1)).toEqual(confOf({ data: 0 }));
    }));
});
