import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import {
  AuthorizationCache,
  type AuthorizationCacheOptions,
  type AuthorizeOptions,
  type CallOptions,
  CentralSystem,
  type CentralSystemOptions,
  ChargePoint,
  type ChargePointOptions,
  Configuration,
  type ConfigurationOptions,
  Connection,
  type ConnectionOptions,
  type DrainOptions,
  type EnrolledCredentials,
  KnownCredentials,
  type KnownCredentialsOptions,
  LocalAuthList,
  type LocalAuthListOptions,
  memoryStore,
  OwnCredentials,
  type OwnCredentialsOptions,
  optionRules,
  type PasswordHashOptions,
  PayloadError,
  passwordHash,
  quirks,
  type ReconnectOptions,
  type Transaction,
  type Transport,
  takeOptions,
} from "../src/index.ts";

const mandatory = {
  AllowOfflineTxForUnknownId: { value: false },
  NumberOfConnectors: { value: 1 },
  SupportedFeatureProfiles: { value: ["Core"] },
};

/** What none of the options of a kind may be, and one thing that they may. */
const kinds = {
  time: { bad: [Number.NaN, 0, -1, Number.POSITIVE_INFINITY, "30", null, {}, true], good: 0.5 },
  duration: { bad: [Number.NaN, -1, Number.POSITIVE_INFINITY, "30", null, {}, true], good: 0 },
  rate: { bad: [Number.NaN, 0, -1, Number.POSITIVE_INFINITY, "30", null, {}, true], good: 0.5 },
  count: { bad: [Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY, "30", null, {}, true], good: 2 },
  repetitions: { bad: [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, "30", null, {}, true], good: 0 },
  text: { bad: [5, null, {}, [], true, () => "CP001"], good: "CP001" },
  url: { bad: [5, null, {}, [], new URL("ws://a/")], good: "ws://central.example.com/ocpp" },
  flag: { bad: ["true", 1, null, {}], good: true },
  callback: { bad: ["connect", 5, null, {}, []], good: () => {} },
  object: { bad: ["text", 5, null, true, () => {}], good: { chargePointVendor: "V", chargePointModel: "M" } },
  keys: { bad: ["text", 5, null, true, () => {}], good: mandatory },
  part: { bad: ["text", 5, null, true, () => {}, {}, []], good: undefined },
  map: { bad: ["text", 5, null, true, () => {}, {}, [], new Set()], good: new Map() },
  quirks: { bad: ["nullFields", 5, null, {}, [{}], ["nullFields"], quirks.nullFields], good: [quirks.nullFields] },
  role: { bad: ["Local Controller", "toString", 5, null, {}], good: "ChargePoint" },
  policy: { bad: ["toString", "", 5, null, {}], good: "replace" },
  unknown: { bad: ["toString", "", 5, null, {}], good: "serve" },
  profile: { bad: [4, -1, 1.5, "2", null, {}], good: 2 },
  key: { bad: [5, null, {}, [], "0011", "secret-secret-secret"], good: "0011".repeat(8) },
} as const satisfies Record<string, { readonly bad: readonly unknown[]; readonly good: unknown }>;

type Kind = keyof typeof kinds;

/** Every option of an interface, with its kind: one that is missing is an error of the compiler. */
type Table<Options> = Readonly<Record<keyof Required<Options>, Kind>>;

/** Something with options. */
interface Subject {
  /** How it is called in the error about an option that it does not have. */
  readonly owner: string;
  readonly table: Readonly<Record<string, Kind>>;
  /** What must be given. */
  readonly required: Readonly<Record<string, unknown>>;
  readonly take: (options: never) => unknown;
}

const subject = <Options extends object>(
  owner: string,
  table: Table<Options>,
  required: Partial<Options>,
  take: (options: Options) => unknown,
): Subject => ({ owner, table, required, take: take as Subject["take"] }) as Subject;

const shared = {
  timeoutMs: "time",
  maxWaitingCalls: "count",
  maxServedCalls: "count",
  callsPerSecond: "rate",
  handlerTimeoutMs: "time",
  tolerate: "quirks",
  createMessageId: "callback",
  clock: "part",
} as const;

const call = { timeoutMs: "time", urgent: "flag", signal: "part", keepSent: "flag", late: "callback" } as const;
const report = (): void => {};
const connecting = async () => transportPair(new FakeClock()).chargePoint;
const configuration = await Configuration.load({ keys: mandatory, store: memoryStore(), report });

const chargePoint = { identity: "CP001", url: kinds.url.good, connect: connecting, boot: kinds.object.good };

function connected(): Connection<"ChargePoint"> {
  const clock = new FakeClock();
  return new Connection(transportPair(clock).chargePoint, { role: "ChargePoint", identity: "CP001", clock });
}

/** The credentials of a Charge Point that is connected, and refuses every change. */
async function known(): Promise<KnownCredentials> {
  const centralSystem = new CentralSystem({ registrations: new Map([["CP001", "Accepted"]]) });
  const credentials = new KnownCredentials({ centralSystem });
  await credentials.enroll("CP001", {});
  let answer = (_text: string): void => {};
  const transport: Transport = {
    listen: ({ message }) => {
      answer = message;
    },
    send: (text) => queueMicrotask(() => answer(JSON.stringify([3, JSON.parse(text)[1], { status: "Rejected" }]))),
    close: () => {},
  };
  centralSystem.accept(transport, "CP001");
  return credentials;
}

const subjects: readonly Subject[] = [
  subject<ChargePointOptions>(
    "ChargePoint",
    {
      identity: "text",
      url: "url",
      connect: "callback",
      boot: "object",
      store: "part",
      configuration: "part",
      authorizationCache: "part",
      localAuthList: "part",
      smartCharging: "part",
      maxQueuedMessages: "count",
      severalTransactionsPerConnector: "flag",
      timeoutMs: "time",
      tolerate: "quirks",
      clock: "part",
      random: "callback",
      retryBackOffWaitMinimum: "duration",
      retryBackOffRepeatTimes: "repetitions",
      retryBackOffRandomRange: "duration",
    },
    chargePoint,
    (options) => new ChargePoint(options),
  ),
  subject<ConnectionOptions<"ChargePoint">>(
    "Connection",
    { role: "role", identity: "text", ...shared },
    { role: "ChargePoint", identity: "CP001" },
    (options) => new Connection(transportPair(new FakeClock()).chargePoint, options),
  ),
  subject<CallOptions>("call", call, {}, (options) => {
    const connection = connected();
    const answer = connection.call("Heartbeat", {}, options);
    connection.close();
    return answer;
  }),
  subject<ReconnectOptions>("reconnectNow", { drop: "flag" }, {}, (options) =>
    new ChargePoint(chargePoint).reconnectNow(options),
  ),
  subject<Partial<Pick<ChargePointOptions, "url" | "boot">>>(
    "configure",
    { url: "url", boot: "object" },
    {},
    (options) => new ChargePoint(chargePoint).configure(options),
  ),
  subject<AuthorizeOptions>("authorize", { waitMs: "time", signal: "part" }, {}, (options) =>
    new ChargePoint(chargePoint).authorize("TAG", options),
  ),
  subject<AuthorizeOptions>("authorizeStop", { waitMs: "time", signal: "part" }, {}, (options) =>
    new ChargePoint(chargePoint).authorizeStop("TAG", { idTag: "TAG", parentIdTag: undefined } as Transaction, options),
  ),
  subject<CentralSystemOptions>(
    "CentralSystem",
    { registrations: "map", duplicates: "policy", unknownTransactions: "unknown", probeTimeoutMs: "time", ...shared },
    {},
    (options) => new CentralSystem(options),
  ),
  subject<DrainOptions>("drain", { ratePerSecond: "rate", deadlineMs: "duration" }, {}, (options) =>
    new CentralSystem().drain(options),
  ),
  subject<ConfigurationOptions>(
    "Configuration",
    { keys: "keys", vendorKeys: "part", store: "part", report: "callback", approve: "callback", clock: "part" },
    { keys: mandatory, store: memoryStore(), report },
    (options) => Configuration.load(options),
  ),
  subject<LocalAuthListOptions>(
    "LocalAuthList",
    { report: "callback", localAuthListMaxLength: "count", sendLocalListMaxLength: "count", clock: "part" },
    { report },
    (options) => LocalAuthList.load(memoryStore(), options),
  ),
  subject<AuthorizationCacheOptions>(
    "AuthorizationCache",
    { report: "callback", maxEntries: "count", list: "part", clock: "part" },
    { report },
    (options) => AuthorizationCache.load(memoryStore(), options),
  ),
  subject<OwnCredentialsOptions>(
    "OwnCredentials",
    { configuration: "part", store: "part", report: "callback", clock: "part" },
    { configuration, store: memoryStore(), report },
    (options) => OwnCredentials.load(options),
  ),
  subject<KnownCredentialsOptions>(
    "KnownCredentials",
    { centralSystem: "part", store: "map", passwordHash: "part", clock: "part" },
    { centralSystem: new CentralSystem() },
    (options) => new KnownCredentials(options),
  ),
  subject<EnrolledCredentials>("enroll", { authorizationKey: "key", securityProfile: "profile" }, {}, async (options) =>
    (await known()).enroll("CP001", options),
  ),
  subject<CallOptions & { authorizationKey?: string }>(
    "changeAuthorizationKey",
    { authorizationKey: "key", ...call },
    {},
    async (options) => (await known()).changeAuthorizationKey("CP001", options),
  ),
  subject<CallOptions>("raiseSecurityProfile", call, {}, async (options) =>
    (await known()).raiseSecurityProfile("CP001", 2, options),
  ),
  subject<PasswordHashOptions>("passwordHash", { iterations: "count" }, {}, (options) => passwordHash(options)),
];

/** The parts that an option may be, where any object will not do. */
const parts: Readonly<Record<string, unknown>> = {
  store: memoryStore(),
  configuration,
  authorizationCache: await AuthorizationCache.load(memoryStore(), { report }),
  localAuthList: await LocalAuthList.load(memoryStore(), { report }),
  clock: new FakeClock(),
  list: { has: () => false },
  centralSystem: new CentralSystem(),
  passwordHash: passwordHash(),
  signal: new AbortController().signal,
  vendorKeys: {},
};

const good = (name: string, kind: Kind): unknown => (kind === "part" ? parts[name] : kinds[kind].good);

/** What it threw, or rejected with, if that was about an option: `call` may fail for other reasons here. */
async function refusal(take: Subject["take"], options: object): Promise<TypeError | undefined> {
  try {
    await take(options as never);
    return undefined;
  } catch (error) {
    return error instanceof TypeError ? error : undefined;
  }
}

/** A value as an error has it. */
const shown = (value: unknown): string => {
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return `${value}`;
};

describe.each(subjects)("The options of $owner", ({ owner, table, required, take }) => {
  const options = Object.entries(table);

  test.each(options)(
    "%s, a %s, is refused at once if it is none: by name, with the value and what to give",
    async (name, kind) => {
      for (const value of kinds[kind].bad) {
        if (name === "vendorKeys" && typeof value === "object" && value !== null) continue; // Any object may be keys.
        const error = await refusal(take, { ...required, [name]: value });
        const { message = "It was taken." } = error ?? {};
        if (kind === "key") {
          expect(message).toMatch(/^authorizationKey is not /);
          if (typeof value === "string") expect(message).not.toContain(value);
        } else {
          expect(message.slice(0, message.indexOf(" Give "))).toBe(`${name} is ${shown(value)}.`);
        }
      }
    },
  );

  test.each(options)("%s, a %s, is taken if it is one", async (name, kind) => {
    expect(await refusal(take, { ...required, [name]: good(name, kind) })).toBeUndefined();
  });

  test.each(options)("%s, a %s, may be undefined unless it must be given", async (name) => {
    const error = await refusal(take, { ...required, [name]: undefined });
    if (name in required) expect(error?.message).toMatch(new RegExp(`^${name} is undefined\\. Give `));
    else expect(error).toBeUndefined();
  });

  test("have no other names than these, and are in an object", async () => {
    const [name = ""] = Object.keys(table);
    const misspelt = `${name.slice(0, -1)}${name.slice(-1).toUpperCase()}`;
    expect((await refusal(take, { ...required, [misspelt]: undefined }))?.message).toBe(
      `${owner} has no option "${misspelt}". It has ${Object.keys(table).join(", ")}.`,
    );
    for (const none of [null, 5, "fast"]) {
      const message = `The options of ${owner} are ${shown(none)}. Give an object.`;
      expect((await refusal(take, none as never))?.message).toBe(message);
    }
  });
});

describe("A ChargePoint is not made", () => {
  test.each([
    ["to boot with what could never be sent", { boot: { chargePointVendor: "V", chargePointModel: "M".repeat(21) } }],
    ["to boot without a model", { boot: { chargePointVendor: "V" } as never }],
  ])("%s", (_, other) => {
    expect(() => new ChargePoint({ ...chargePoint, ...other })).toThrow(PayloadError);
  });

  test.each([
    ["for a URL of the web", { url: "https://central.example.com/ocpp" }],
    ["for no URL at all", { url: "" }],
    ["with an identity that cannot stand in a URL", { identity: ".." }],
  ])("%s", (_, other) => {
    expect(() => new ChargePoint({ ...chargePoint, ...other })).toThrow(TypeError);
  });
});

describe("takeOptions", () => {
  interface Some {
    readonly list?: object | undefined;
    readonly text?: string | undefined;
  }
  const rules = { list: optionRules.object("a list"), text: optionRules.text };

  test("reads each option once, inherited and computed ones too, and leaves out what is undefined", () => {
    let reads = 0;
    class Options {
      readonly list = undefined;
      get text() {
        return ["first", 2][reads++];
      }
    }
    const options = new Options() as unknown as Some;
    expect(takeOptions("Test", options, rules)).toStrictEqual({ text: "first" });
    expect(reads).toBe(1);
  });

  test("copies a list, but no other object", () => {
    const list = [1];
    expect(takeOptions<Some>("Test", { list }, rules).list).not.toBe(list);
    const map = new Map();
    expect(takeOptions<Some>("Test", { list: map }, rules).list).toBe(map);
  });

  test.each([
    ["tolerate", { tolerate: ["nullFields"] }, /example \[quirks\.nullFields\].* \(wrong: "nullFields"\)\.$/],
    ["tolerate", { tolerate: [quirks.nullFields, 5] }, / \(wrong: 5\)\.$/],
    ["registrations", { registrations: {} }, /its get and set \(wrong: get, set\)\.$/],
    ["registrations", { registrations: { get: () => undefined } }, / \(wrong: set\)\.$/],
  ])("says which part of %s is wrong: %#", (_, options, message) => {
    expect(() => new CentralSystem(options as never)).toThrow(message);
  });

  test("does not repeat a long text in full, nor control characters", () => {
    const what = (value: string) => {
      try {
        takeOptions("Test", { [value]: 1 }, {} as never);
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    expect(what("x".repeat(41))).toBe(`Test has no option "${"x".repeat(40)}...". It has .`);
    expect(what("a\nb")).toContain('"a\\nb"');
  });
});
