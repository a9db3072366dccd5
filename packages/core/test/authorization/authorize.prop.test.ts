import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authorizationOf, authorize, authorizeStop, sameGroup } from "../../src/authorization/authorize.ts";
import type { IdTagInfo, IdTagLookUp } from "../../src/authorization/id-tag.ts";
import { now } from "./stores.ts";

const statuses = ["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"] as const;
const parents = fc.constantFrom(undefined, "", "P", "p", "Q");

const idTagInfo = fc
  .record({ status: fc.constantFrom(...statuses), parentIdTag: parents })
  .map(({ status, parentIdTag }): IdTagInfo => (parentIdTag === undefined ? { status } : { status, parentIdTag }));

const lookUp = fc
  .option(idTagInfo, { nil: undefined })
  .map((known): IdTagLookUp => ({ lookUp: (idTag) => (idTag.toLowerCase() === "a" ? known : undefined) }));

const situation = fc.record({
  online: fc.boolean(),
  keys: fc.record({
    LocalAuthorizeOffline: fc.boolean(),
    LocalPreAuthorize: fc.boolean(),
    AllowOfflineTxForUnknownId: fc.constantFrom(true, false, undefined),
    LocalAuthListEnabled: fc.constantFrom(true, false, undefined),
    AuthorizationCacheEnabled: fc.constantFrom(true, false, undefined),
  }),
  list: fc.option(lookUp, { nil: undefined }),
  cache: fc.option(lookUp, { nil: undefined }),
});

describe("authorize", () => {
  test("never asks offline and never refuses online: the Central System decides whenever it can [CORE-AUTH-06] [CORE-LAO-01]", () => {
    fc.assert(
      fc.property(situation, (situation) => {
        const { decision } = authorize("A", now, situation);
        expect(decision).not.toBe(situation.online ? "refuse" : "ask");
      }),
    );
  });

  test("accepts nothing that the list, where it counts, says anything but Accepted of [CORE-LAO-06] [CORE-CACHE-10]", () => {
    fc.assert(
      fc.property(situation, fc.constantFrom("Blocked", "Expired", "Invalid", "ConcurrentTx"), (situation, status) => {
        const keys = { ...situation.keys, LocalAuthListEnabled: true };
        const list = { lookUp: (): IdTagInfo => ({ status }) };
        expect(authorize("A", now, { ...situation, keys, list }).decision).not.toBe("accept");
      }),
    );
  });

  test("accepts only Accepted, or what is unknown where that is allowed [CORE-AUTH-14] [CORE-LAO-27]", () => {
    fc.assert(
      fc.property(situation, (situation) => {
        const authorization = authorize("A", now, situation);
        if (authorization.decision !== "accept") return;
        if ("idTagInfo" in authorization) expect(authorization.idTagInfo.status).toBe("Accepted");
        else expect([situation.online, situation.keys.AllowOfflineTxForUnknownId]).toEqual([false, true]);
      }),
    );
  });
});

describe("authorizeStop", () => {
  test("lets only the identifier itself and its group stop a transaction [CORE-AUTH-09] [CORE-IDT-04]", () => {
    fc.assert(
      fc.property(situation, fc.constantFrom("a", "B"), parents, (situation, idTag, parentIdTag) => {
        const authorization = authorizeStop("A", { idTag, parentIdTag }, now, situation);
        if (idTag === "a") expect(authorization).toEqual({ decision: "accept", grounds: "same-id-tag" }); // CORE-AUTH-03
        if (idTag === "a" || authorization.decision !== "accept") return;
        expect("idTagInfo" in authorization && sameGroup(authorization.idTagInfo.parentIdTag, parentIdTag)).toBe(true);
      }),
    );
  });

  test("is never more generous than authorize is about another identifier [CORE-AUTH-01]", () => {
    fc.assert(
      fc.property(situation, parents, (situation, parentIdTag) => {
        const start = authorize("A", now, situation);
        const stop = authorizeStop("A", { idTag: "B", parentIdTag }, now, situation);
        if (stop.decision === "accept") expect(stop).toEqual(start);
        if (start.decision !== "accept") expect(stop).toEqual(start);
      }),
    );
  });
});

describe("authorizationOf", () => {
  test("accepts Accepted alone, and for a stop the same group alone [CORE-AUTH-14] [CORE-AUTH-09]", () => {
    fc.assert(
      fc.property(idTagInfo, parents, (idTagInfo, parentIdTag) => {
        const isAccepted = idTagInfo.status === "Accepted";
        expect(authorizationOf(idTagInfo).decision === "accept").toBe(isAccepted);
        expect(authorizationOf(idTagInfo, { idTag: "B", parentIdTag }).decision === "accept").toBe(
          isAccepted && sameGroup(idTagInfo.parentIdTag, parentIdTag),
        );
      }),
    );
  });
});

describe("sameGroup", () => {
  test("is symmetric, does not mind case and never holds without a group [CORE-IDT-04] [CORE-IDT-06]", () => {
    const parent = fc.option(fc.stringMatching(/^[a-zA-Z\d]{0,3}$/), { nil: undefined });
    fc.assert(
      fc.property(parent, parent, (a, b) => {
        expect(sameGroup(a, b)).toBe(sameGroup(b, a));
        expect(sameGroup(a, b)).toBe(sameGroup(a?.toUpperCase(), b));
        if (!a || !b) expect(sameGroup(a, b)).toBe(false);
        if (a) expect(sameGroup(a, a)).toBe(true);
      }),
    );
  });
});
