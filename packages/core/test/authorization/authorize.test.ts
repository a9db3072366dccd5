import { describe, expect, test } from "vitest";
import {
  type AuthorizationSituation,
  authorizationOf,
  authorize,
  authorizeStop,
  sameGroup,
} from "../../src/authorization/authorize.ts";
import type { IdTagInfo, IdTagLookUp } from "../../src/authorization/id-tag.ts";
import { accepted, blocked, now } from "./stores.ts";

const allKeys = {
  LocalAuthorizeOffline: true,
  LocalPreAuthorize: true,
  AllowOfflineTxForUnknownId: true,
  LocalAuthListEnabled: true,
  AuthorizationCacheEnabled: true,
};

/** Knows "A", and nothing when there is nothing to know. */
const knows = (idTagInfo: IdTagInfo | undefined): IdTagLookUp => ({
  lookUp: (idTag, at) => (idTag === "A" && at === now ? idTagInfo : undefined),
});

interface Known extends Partial<typeof allKeys> {
  readonly list?: IdTagInfo;
  readonly cache?: IdTagInfo;
}

const situation = (online: boolean, { list, cache, ...keys }: Known): AuthorizationSituation => ({
  online,
  keys: { ...allKeys, ...keys },
  list: knows(list),
  cache: knows(cache),
});

const online = (known: Known) => authorize("A", now, situation(true, known));
const offline = (known: Known) => authorize("A", now, situation(false, known));

const ask = { decision: "ask", grounds: "central-system" };
const expired: IdTagInfo = { status: "Expired" };
const notAccepted = ["Blocked", "Expired", "Invalid", "ConcurrentTx"] as const;

describe("authorize, online", () => {
  test("accepts what the list accepts, without asking [CORE-LAO-20] [CORE-LAO-04] [CORE-AUTH-05]", () => {
    const idTagInfo = { status: "Accepted", parentIdTag: "P" } as const;
    expect(online({ list: idTagInfo })).toEqual({ decision: "accept", grounds: "local-list", idTagInfo });
  });

  test.each(notAccepted)("asks about what the list says %s of [CORE-LAO-21] [CORE-AUTH-07]", (status) => {
    expect(online({ list: { status } })).toEqual(ask);
  });

  test("accepts what the cache accepts, without asking [CORE-LAO-22] [CORE-LAO-04]", () => {
    expect(online({ cache: accepted })).toEqual({ decision: "accept", grounds: "cache", idTagInfo: accepted });
  });

  test.each(notAccepted)("asks about what the cache says %s of [CORE-LAO-23] [CORE-CACHE-07]", (status) => {
    expect(online({ cache: { status } })).toEqual(ask);
  });

  test("asks about what neither knows [CORE-LAO-24] [CORE-AUTH-06]", () => {
    expect(online({})).toEqual(ask);
  });

  test("asks about everything when LocalPreAuthorize is false [CORE-LAO-04] [CFG-13]", () => {
    expect(online({ list: accepted, LocalPreAuthorize: false })).toEqual(ask);
    expect(online({ cache: accepted, LocalPreAuthorize: false })).toEqual(ask);
  });

  test("does not mind LocalAuthorizeOffline [CORE-LAO-03] [CFG-12]", () => {
    expect(online({ list: accepted, LocalAuthorizeOffline: false }).decision).toBe("accept");
  });
});

describe("authorize, offline", () => {
  test("accepts what the list accepts [CORE-LAO-25] [CORE-LAO-03]", () => {
    expect(offline({ list: accepted })).toEqual({ decision: "accept", grounds: "local-list", idTagInfo: accepted });
  });

  test("accepts what the cache accepts [CORE-LAO-25] [CORE-LAO-03]", () => {
    expect(offline({ cache: accepted })).toEqual({ decision: "accept", grounds: "cache", idTagInfo: accepted });
  });

  test.each(notAccepted)("refuses what the list says %s of [CORE-LAO-26] [CORE-LAO-06] [QD-19]", (status) => {
    expect(offline({ list: { status } })).toEqual({ decision: "refuse", grounds: "local-list", idTagInfo: { status } });
  });

  test("refuses what was valid and has expired in the cache [CORE-LAO-26] [CORE-LAO-07]", () => {
    expect(offline({ cache: expired })).toEqual({ decision: "refuse", grounds: "cache", idTagInfo: expired });
  });

  test.each(notAccepted)(
    "refuses what the cache says %s of, although unknown ones may start [CORE-LAO-27]",
    (status) => {
      expect(offline({ cache: { status } })).toEqual({ decision: "refuse", grounds: "cache", idTagInfo: { status } });
    },
  );

  test("accepts what neither knows when AllowOfflineTxForUnknownId is true [CORE-LAO-27] [CORE-LAO-05] [CFG-01]", () => {
    expect(offline({})).toEqual({ decision: "accept", grounds: "unknown-offline" });
  });

  test("refuses what neither knows when AllowOfflineTxForUnknownId is false or absent [CORE-LAO-28] [CFG-01]", () => {
    const refused = { decision: "refuse", grounds: "unknown-offline" };
    expect(offline({ AllowOfflineTxForUnknownId: false })).toEqual(refused);
    const keys = { LocalAuthorizeOffline: true, LocalPreAuthorize: true };
    expect(authorize("A", now, { online: false, keys })).toEqual(refused);
  });

  test("refuses what is authorized locally when LocalAuthorizeOffline is false [CORE-LAO-03] [CFG-12]", () => {
    const refused = { decision: "refuse", grounds: "local-authorize-offline", idTagInfo: accepted };
    expect(offline({ list: accepted, LocalAuthorizeOffline: false })).toEqual(refused);
    expect(offline({ cache: accepted, LocalAuthorizeOffline: false })).toEqual(refused);
  });

  test("does not mind LocalPreAuthorize [CORE-LAO-04] [CFG-13]", () => {
    expect(offline({ list: accepted, LocalPreAuthorize: false }).decision).toBe("accept");
  });
});

describe("authorize", () => {
  test("lets the list go before the cache [CORE-CACHE-10]", () => {
    expect(offline({ list: blocked, cache: accepted })).toMatchObject({ decision: "refuse", grounds: "local-list" });
    expect(offline({ list: accepted, cache: blocked })).toMatchObject({ decision: "accept", grounds: "local-list" });
    expect(online({ list: blocked, cache: accepted })).toEqual(ask);
  });

  test("does not look at a list that is not enabled [LAL-04] [CFG-37]", () => {
    expect(online({ list: accepted, LocalAuthListEnabled: false })).toEqual(ask);
    expect(offline({ list: accepted, cache: blocked, LocalAuthListEnabled: false })).toMatchObject({
      decision: "refuse",
      grounds: "cache",
    });
  });

  test("does not look at a cache that is not enabled [CORE-CACHE-08] [CFG-02]", () => {
    expect(online({ cache: accepted, AuthorizationCacheEnabled: false })).toEqual(ask);
    expect(offline({ cache: accepted, AuthorizationCacheEnabled: false })).toMatchObject({
      grounds: "unknown-offline",
    });
  });

  test("does not look at list or cache when their keys are absent [CORE-CACHE-08] [LAL-04]", () => {
    const keys = { LocalAuthorizeOffline: true, LocalPreAuthorize: true };
    expect(authorize("A", now, { online: true, keys, list: knows(accepted), cache: knows(accepted) })).toEqual(ask);
  });

  test("does without list and cache where there are none [CORE-LAO-02]", () => {
    expect(authorize("A", now, { online: true, keys: allKeys })).toEqual(ask);
    expect(authorize("A", now, { online: false, keys: allKeys })).toMatchObject({ grounds: "unknown-offline" });
  });
});

describe("authorizationOf", () => {
  test("accepts Accepted [CORE-AUTH-14]", () => {
    expect(authorizationOf(accepted)).toEqual({ decision: "accept", grounds: "central-system", idTagInfo: accepted });
  });

  test.each(notAccepted)("refuses %s [CORE-AUTH-14]", (status) => {
    const idTagInfo = { status, parentIdTag: "P" };
    const refused = { decision: "refuse", grounds: "central-system", idTagInfo };
    expect(authorizationOf(idTagInfo)).toEqual(refused);
    expect(authorizationOf(idTagInfo, { idTag: "B", parentIdTag: "P" })).toEqual(refused);
  });

  test("lets only the group of the one who started a transaction stop it [CORE-AUTH-09] [CORE-IDT-04]", () => {
    const idTagInfo = { status: "Accepted", parentIdTag: "p" } as const;
    expect(authorizationOf(idTagInfo, { idTag: "B", parentIdTag: "P" })).toMatchObject({
      decision: "accept",
      idTagInfo,
    });
    const refused = { decision: "refuse", grounds: "other-group" };
    expect(authorizationOf(idTagInfo, { idTag: "B", parentIdTag: "Q" })).toEqual(refused);
    expect(authorizationOf(idTagInfo, { idTag: "B" })).toEqual(refused);
    expect(authorizationOf(accepted, { idTag: "B" })).toEqual(refused);
  });
});

describe("authorizeStop", () => {
  const inGroup: IdTagInfo = { status: "Accepted", parentIdTag: "P" };
  const startedBy = { idTag: "B", parentIdTag: "p" };
  const stopOnline = (known: Known) => authorizeStop("A", startedBy, now, situation(true, known));
  const stopOffline = (known: Known) => authorizeStop("A", startedBy, now, situation(false, known));

  test.each([true, false])(
    "accepts the identifier that started the transaction without asking: online %s [CORE-AUTH-03]",
    (isOnline) => {
      const accepts = { decision: "accept", grounds: "same-id-tag" };
      const keys = { LocalAuthorizeOffline: false, LocalPreAuthorize: false };
      expect(authorizeStop("aB", { idTag: "Ab" }, now, { online: isOnline, keys })).toEqual(accepts);
      expect(authorizeStop("A", { idTag: "a" }, now, situation(isOnline, { list: blocked }))).toEqual(accepts);
    },
  );

  test("accepts another one of the same group that is authorized locally [CORE-AUTH-09] [CORE-IDT-04]", () => {
    const accepts = { decision: "accept", grounds: "local-list", idTagInfo: inGroup };
    expect(stopOnline({ list: inGroup })).toEqual(accepts);
    expect(stopOffline({ list: inGroup })).toEqual(accepts);
    expect(stopOffline({ cache: inGroup })).toEqual({ ...accepts, grounds: "cache" });
  });

  test("asks, online, where the group is not known to be the same [CORE-AUTH-09]", () => {
    expect(stopOnline({ list: accepted })).toEqual(ask);
    expect(stopOnline({ list: { ...inGroup, parentIdTag: "Q" } })).toEqual(ask);
    expect(stopOnline({})).toEqual(ask);
    expect(stopOnline({ list: { ...inGroup, status: "Blocked" } })).toEqual(ask);
  });

  test("refuses, offline, where the group is not known to be the same [CORE-AUTH-09]", () => {
    const refused = { decision: "refuse", grounds: "other-group" };
    expect(stopOffline({ list: accepted })).toEqual(refused);
    expect(stopOffline({ cache: { ...inGroup, parentIdTag: "Q" } })).toEqual(refused);
    expect(stopOffline({})).toEqual(refused);
  });

  test("refuses, offline, one of the same group that is not accepted [CORE-AUTH-09] [CORE-LAO-06]", () => {
    const idTagInfo: IdTagInfo = { status: "Blocked", parentIdTag: "P" };
    expect(stopOffline({ list: idTagInfo })).toEqual({ decision: "refuse", grounds: "local-list", idTagInfo });
  });

  test("does not take the parent itself for a member of the group [CORE-IDT-05]", () => {
    expect(authorizeStop("P", startedBy, now, situation(false, {}))).toEqual({
      decision: "refuse",
      grounds: "other-group",
    });
  });
});

describe("sameGroup", () => {
  test.each([
    ["P", "P", true],
    ["group 1", "GROUP 1", true],
    ["P", "Q", false],
    ["P", undefined, false],
    [undefined, "P", false],
    [undefined, undefined, false],
    ["", "", false],
  ])("of %j and %j is %s [CORE-IDT-04] [CORE-IDT-06] [CORE-AUTH-09]", (a, b, same) => {
    expect(sameGroup(a, b)).toBe(same);
  });
});
