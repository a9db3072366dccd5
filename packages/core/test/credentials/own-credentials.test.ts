import { transportPair } from "@ocppj/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  Configuration,
  type ConfigurationVerdict,
  type Credential,
  HandshakeError,
  type HandshakeFailure,
  memoryStore,
  OwnCredentials,
  type RecordStore,
  type Transport,
} from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { second } from "../charge-point/vocabulary.ts";

const oldKey = "00".repeat(20);
const newKey = "ff".repeat(20);
const url = "wss://central.example.com/ocpp";

/** What an attempt ends with. */
type Outcome = "open" | HandshakeFailure;

/** The credentials of a Charge Point, and a Central System that is only a decision. */
class Charger {
  readonly records = memoryStore();
  readonly reports: Error[] = [];
  store: RecordStore = this.records;
  configuration!: Configuration;
  credentials!: OwnCredentials;
  initial: { key?: string; profile?: number } = { key: oldKey, profile: 1 };
  verdict: ConfigurationVerdict = { status: "Accepted" };

  /** Begins anew with what the store has. */
  async start(): Promise<void> {
    const { initial, store } = this;
    const report = (error: Error) => void this.reports.push(error);
    this.configuration = await Configuration.load({
      store,
      report,
      keys: {
        NumberOfConnectors: { value: 1 },
        SupportedFeatureProfiles: { value: ["Core"] },
        AuthorizationKey: initial.key === undefined ? {} : { value: initial.key },
        SecurityProfile: { value: initial.profile ?? 0 },
      },
      approve: () => this.verdict,
    });
    this.credentials = await OwnCredentials.load({ configuration: this.configuration, store, report });
  }

  /** Makes one attempt, and tells with what. */
  async attempt(outcome: Outcome | ((credential: Credential) => Outcome)): Promise<Credential> {
    let used: Credential | undefined;
    const connect = this.credentials.connect((credential) => async (target) => {
      used = credential;
      const end = typeof outcome === "function" ? outcome(credential) : outcome;
      if (end !== "open") throw new HandshakeError(end, "Refused.", { url: target.url });
      return transportPair({ now: () => 0, wakeAt: () => () => {} }).chargePoint;
    });
    await connect({ url, identity: "CP001" }).catch((error: unknown) => expect(error).toBeInstanceOf(HandshakeError));
    expect(used).toBeDefined();
    return used as Credential;
  }

  change(key: string, value: string): Promise<unknown> {
    return this.configuration.changeConfiguration({ key, value });
  }
}

let charger: Charger;
beforeEach(async () => {
  charger = new Charger();
  await charger.start();
});

const credential = (authorizationKey: string, securityProfile: Credential["securityProfile"] = 1): Credential => ({
  authorizationKey,
  securityProfile,
});

describe("OwnCredentials", () => {
  test("connects with what the configuration says, and asks it at each attempt [SEC-A00-203]", async () => {
    for (let times = 0; times < 3; times++) expect(await charger.attempt("network")).toEqual(credential(oldKey));
    await charger.configuration.set("AuthorizationKey", newKey);
    expect(await charger.attempt("open")).toEqual(credential(newKey));
  });

  test("gives no key where there is none, or where a certificate takes its place [SEC-A00-001]", async () => {
    charger.initial = {};
    await charger.start();
    expect(await charger.attempt("open")).toEqual({ securityProfile: 0 });
    charger.initial = { key: oldKey, profile: 3 };
    charger.store = memoryStore();
    await charger.start();
    expect(await charger.attempt("open")).toEqual({ securityProfile: 3 });
  });

  test("passes the target, the transport and the error on", async () => {
    const targets: unknown[] = [];
    const transport = transportPair({ now: () => 0, wakeAt: () => () => {} }).chargePoint;
    const target = { url, identity: "CP001" };
    const opening = charger.credentials.connect(() => async (asked) => {
      targets.push(asked);
      return transport;
    });
    expect(await opening(target)).toBe(transport);
    expect(targets).toEqual([target]);
    const error = new Error("no");
    const failing = charger.credentials.connect(() => () => Promise.reject(error));
    await expect(failing(target)).rejects.toBe(error);
  });
});

describe("OwnCredentials, when nobody wants the connection any more", () => {
  const never = new Promise<never>(() => {});
  const reason = new Error("The ChargePoint was stopped.");

  test("does not connect when the store has kept it waiting for too long", async () => {
    let kept = (): void => {};
    charger.store = { ...charger.records, put: () => new Promise((resolve) => (kept = resolve)) };
    await charger.start();
    const controller = new AbortController();
    const connect = charger.credentials.connect(() => () => expect.unreachable("connected") as never);
    const attempt = connect({ url, identity: "CP001", signal: controller.signal });
    controller.abort(reason);
    kept();
    await expect(attempt).rejects.toBe(reason);
  });

  test.each(["before", "after"])(
    "closes the connection that was opened %s, while the store keeps it waiting",
    async (when) => {
      const { transport, closed } = countingTransport();
      await charger.attempt("network");
      await charger.change("AuthorizationKey", newKey);
      await charger.attempt("network");
      charger.store = { ...charger.records, put: () => never };
      await charger.start();
      const controller = new AbortController();
      const connect = charger.credentials.connect(() => async () => {
        if (when === "after") controller.abort(reason);
        return transport;
      });
      void connect({ url, identity: "CP001", signal: controller.signal });
      await new Promise((resolve) => setImmediate(resolve));
      expect(closed()).toBe(when === "after" ? 1 : 0);
      controller.abort(reason);
      expect(closed()).toBe(1);
    },
  );
});

/** A transport that counts how often it was closed. */
function countingTransport() {
  let closed = 0;
  const transport: Transport = { listen() {}, send() {}, close: () => void closed++ };
  return { transport, closed: () => closed };
}

describe("OwnCredentials, after AuthorizationKey was changed", () => {
  beforeEach(async () => {
    await charger.attempt("open");
    expect(await charger.change("AuthorizationKey", newKey)).toEqual({ status: "Accepted" });
  });

  test("connects with the new key first, and forgets the old one when that has worked [SEC-A01-01] [SEC-A01-13]", async () => {
    expect(await charger.attempt("open")).toEqual(credential(newKey));
    for (let times = 0; times < 3; times++) expect(await charger.attempt("unauthorized")).toEqual(credential(newKey));
    expect(JSON.stringify(await charger.records.load(""))).not.toContain(oldKey);
  });

  test.each(["unauthorized", "network", "unknown-identity"] as const)(
    "takes turns with the old key as long as it ends in %s",
    async (outcome) => {
      for (const key of [newKey, oldKey, newKey, oldKey, newKey]) {
        expect(await charger.attempt(outcome)).toEqual(credential(key));
      }
    },
  );

  test("goes back to the old key for good when the new one was refused and the old one was not", async () => {
    const bouncer = ({ authorizationKey }: Credential): Outcome =>
      authorizationKey === oldKey ? "open" : "unauthorized";
    await charger.attempt(bouncer);
    expect(await charger.attempt(bouncer)).toEqual(credential(oldKey));
    expect(charger.configuration.get("AuthorizationKey")).toBe(oldKey);
    expect(await charger.attempt("unauthorized")).toEqual(credential(oldKey));
    expect(await charger.attempt("unauthorized")).toEqual(credential(oldKey));
  });

  test("tries the new key first again when it had failed for another reason, and the old one has worked meanwhile", async () => {
    await charger.attempt("network");
    expect(await charger.attempt("open")).toEqual(credential(oldKey));
    expect(charger.configuration.get("AuthorizationKey")).toBe(newKey);
    expect(await charger.attempt("open")).toEqual(credential(newKey));
  });

  test("does not hold a refusal against the key that lies before a connection", async () => {
    await charger.attempt("unauthorized");
    await charger.attempt("network");
    expect(await charger.attempt("open")).toEqual(credential(newKey));
    await charger.change("AuthorizationKey", oldKey);
    await charger.attempt("network");
    await charger.attempt("open");
    expect(charger.configuration.get("AuthorizationKey")).toBe(oldKey);
  });

  test("tries every key that it has presented, if none was let in: one may have been, at the other end [J-178] [J-184]", async () => {
    const newestKey = "11".repeat(20);
    await charger.attempt("network");
    await charger.change("AuthorizationKey", newestKey);
    await charger.start();
    const tried = [];
    for (let times = 0; times < 3; times++) tried.push(await charger.attempt("network"));
    expect(tried).toEqual([newestKey, newKey, oldKey].map((key) => credential(key)));
    const bouncer = ({ authorizationKey }: Credential): Outcome =>
      authorizationKey === newKey ? "open" : "unauthorized";
    await charger.attempt(bouncer);
    expect(await charger.attempt(bouncer)).toEqual(credential(newKey));
    expect(charger.configuration.get("AuthorizationKey")).toBe(newKey);
    expect(JSON.stringify(await charger.records.load(""))).not.toMatch(`${oldKey}|${newestKey}`);
  });

  test("remembers a key before it is presented [J-184]", async () => {
    const records: unknown[] = [];
    await charger.attempt(() => {
      void charger.records.load("credentials/").then(([record]) => records.push(JSON.parse(record?.value ?? "")));
      return "network";
    });
    expect(records).toEqual([[credential(oldKey), credential(newKey)]]);
  });

  test("has both keys after a power cut, and only the new one once that has worked [J-184]", async () => {
    await charger.start();
    expect(await charger.attempt("unauthorized")).toEqual(credential(newKey));
    await charger.start();
    expect(await charger.attempt("network")).toEqual(credential(newKey));
    expect(await charger.attempt("network")).toEqual(credential(oldKey));
    expect(await charger.attempt("open")).toEqual(credential(newKey));
    await charger.start();
    for (let times = 0; times < 3; times++) expect(await charger.attempt("unauthorized")).toEqual(credential(newKey));
  });
});

describe("OwnCredentials, after SecurityProfile was raised", () => {
  beforeEach(async () => {
    await charger.attempt("open");
    expect(await charger.change("SecurityProfile", "2")).toEqual({ status: "Accepted" });
  });

  test("connects with the new profile first, and never again with the old one when that has worked [SEC-A05-07]", async () => {
    expect(await charger.attempt("open")).toEqual(credential(oldKey, 2));
    await charger.start();
    for (let times = 0; times < 3; times++) expect(await charger.attempt("network")).toEqual(credential(oldKey, 2));
  });

  test("falls back to the old profile, so that it can be raised again [SEC-A05-01] [SEC-A05-08]", async () => {
    await charger.attempt("network");
    expect(await charger.attempt("open")).toEqual(credential(oldKey, 1));
    expect(charger.configuration.get("SecurityProfile")).toBe(1);
    expect(await charger.attempt("open")).toEqual(credential(oldKey, 1));
    expect(await charger.change("SecurityProfile", "2")).toEqual({ status: "Accepted" });
    expect(await charger.attempt("open")).toEqual(credential(oldKey, 2));
  });

  test("tries all combinations when the key was changed as well", async () => {
    await charger.change("AuthorizationKey", newKey);
    const combinations = [credential(newKey, 2), credential(newKey, 1), credential(oldKey, 2), credential(oldKey, 1)];
    for (const combination of [...combinations, ...combinations]) {
      expect(await charger.attempt("network")).toEqual(combination);
    }
    await charger.attempt("network");
    expect(await charger.attempt("open")).toEqual(credential(newKey, 1));
    expect(charger.configuration.get("SecurityProfile")).toBe(1);
    expect(await charger.attempt("network")).toEqual(credential(newKey, 1));
    expect(await charger.attempt("network")).toEqual(credential(newKey, 1));
  });

  test("leaves the key of profile 3 alone", async () => {
    await charger.change("SecurityProfile", "3");
    expect(await charger.attempt("unauthorized")).toEqual({ securityProfile: 3 });
    expect(await charger.attempt("network")).toEqual(credential(oldKey, 1));
    expect(await charger.attempt("open")).toEqual({ securityProfile: 3 });
    expect(charger.configuration.get("AuthorizationKey")).toBe(oldKey);
  });
});

describe("OwnCredentials and RebootRequired", () => {
  test("uses the new key after the reboot only, and can still fall back", async () => {
    await charger.attempt("open");
    charger.verdict = { status: "RebootRequired" };
    await charger.change("AuthorizationKey", newKey);
    expect(await charger.attempt("open")).toEqual(credential(oldKey));
    await charger.start();
    expect(await charger.attempt("network")).toEqual(credential(newKey));
    expect(await charger.attempt("network")).toEqual(credential(oldKey));
  });
});

describe("OwnCredentials and its store", () => {
  test.each([
    "{",
    "null",
    "{}",
    "[null]",
    '[{"securityProfile":4}]',
    '[{"authorizationKey":"secret","securityProfile":1}]',
  ])("sets a damaged record aside, and says so without what is in it: %s [SEC-A01-12]", async (record) => {
    await charger.records.put("credentials/presented", record);
    await charger.start();
    expect(await charger.attempt("network")).toEqual(credential(oldKey));
    expect(await charger.attempt("network")).toEqual(credential(oldKey));
    expect(await charger.records.load("corrupt/")).toEqual([{ key: "corrupt/credentials/presented", value: record }]);
    expect(charger.reports).toHaveLength(1);
    expect(charger.reports[0]?.message).toMatch(/^(?!.*secret).*credentials\/presented/);
  });

  test("leaves records of other names alone", async () => {
    await charger.records.put("credentials/presented-by-others", "{");
    await charger.start();
    expect(charger.reports).toEqual([]);
  });

  test("connects all the same when the store fails, and reports it, whatever the owner does with that", async () => {
    const cause = new Error("disk full");
    charger.store = { ...charger.records, put: () => Promise.reject(cause) };
    await charger.start();
    expect(await charger.attempt("open")).toEqual(credential(oldKey));
    expect(charger.reports).toMatchObject([{ cause }]);
    charger.reports.push = () => {
      throw new Error("report");
    };
    await charger.start();
    expect(await charger.attempt("open")).toEqual(credential(oldKey));
  });

  test("keeps the connection when what fell back cannot be written", async () => {
    await charger.attempt("open");
    await charger.change("SecurityProfile", "2");
    await charger.change("AuthorizationKey", newKey);
    charger.store = {
      ...charger.records,
      put: () => {
        throw new Error("disk full");
      },
    };
    await charger.start();
    const bouncer = (one: Credential): Outcome =>
      one.authorizationKey === oldKey && one.securityProfile === 1 ? "open" : "unauthorized";
    for (let times = 0; times < 4; times++) await charger.attempt(bouncer);
    expect(new Set(charger.reports.map(({ message }) => message))).toEqual(
      new Set([
        "The credentials in use were not kept, because the store failed.",
        "SecurityProfile was not set back, because the store failed.",
        "AuthorizationKey was not set back, because the store failed.",
      ]),
    );
  });
});

describe("ChargePoint with AuthorizationKey and SecurityProfile", () => {
  async function siteWith(verdict: ConfigurationVerdict): Promise<Site> {
    charger.verdict = verdict;
    const site = new Site({ configuration: charger.configuration });
    await site.start();
    return site;
  }

  test.each([
    ["AuthorizationKey", newKey],
    ["authorizationkey", newKey],
    ["SecurityProfile", "2"],
  ])(
    "connects anew after the answer that accepts %s has left, keeping what is undelivered [SEC-A01-13] [SEC-A05-06] [SEC-A05-07]",
    async (key, value) => {
      const site = await siteWith({ status: "Accepted" });
      site.centralSystem.handle("StartTransaction", () => new Promise(() => {}));
      site.chargePoint.startTransaction({ connectorId: 1, idTag: "TAG", meterStart: 0 });
      await site.clock.advance(0);
      const change = site.centralSystem.get("CP001")?.call("ChangeConfiguration", { key, value });
      await site.clock.advance(0);
      expect(await change).toEqual({ status: "Accepted" });
      expect(site.said("disconnected")).toMatchObject([{ code: 1000, reason: `${key} was changed` }]);
      expect(site.centralSystem.get("CP001")).toBeUndefined();
      await site.clock.advance(5 * second);
      expect(site.links).toHaveLength(2);
      expect(site.actions.filter((action) => action === "StartTransaction")).toHaveLength(2);
      expect(site.actions.filter((action) => action === "BootNotification")).toHaveLength(1);
    },
  );

  test.each([
    ["a key that is rejected", "AuthorizationKey", newKey, "Rejected"],
    ["a key that is for later", "AuthorizationKey", newKey, "RebootRequired"],
    ["a profile that is no rise", "SecurityProfile", "1", "Accepted"],
    ["another key", "HeartbeatInterval", "60", "Accepted"],
  ] as const)("stays connected after %s [SEC-A05-01]", async (_, key, value, status) => {
    const site = await siteWith({ status });
    const change = site.centralSystem.get("CP001")?.call("ChangeConfiguration", { key, value });
    await site.clock.advance(5 * second);
    expect(await change).toEqual({ status: value === "1" ? "Rejected" : status });
    expect(site.links).toHaveLength(1);
  });
});
