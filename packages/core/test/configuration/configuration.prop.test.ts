import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Configuration, type StandardKeys, type VendorKeys } from "../../src/configuration/configuration.ts";
import {
  type ConfigurationKeyDefinition,
  type ConfigurationValue,
  configurationKeys,
} from "../../src/configuration/configuration-keys.ts";
import { parseConf, parseReq } from "../../src/messages/validate.ts";
import { memoryStore, type RecordStore } from "../../src/store/record-store.ts";

type Key = keyof typeof values;

/** Texts for a few keys of each kind, and the values that they stand for; `undefined` if they stand for none. */
const values = {
  HeartbeatInterval: { "60": 60, "1": 1, "0": undefined, "-1": undefined, "1.5": undefined, soon: undefined },
  LocalPreAuthorize: { true: true, False: false, "1": undefined },
  MeterValuesSampledData: { "": [], " SoC ,Voltage": ["SoC", "Voltage"], "SoC,Voltage,RPM": undefined, Sun: undefined },
  CpoName: { "": "", "The CPO": "The CPO", "  x,": "  x," },
  AuthorizationKey: { ["0".repeat(40)]: "0".repeat(40), ["f".repeat(32)]: "f".repeat(32), short: undefined },
  NumberOfConnectors: { "1": 1, "7": 7 },
  Fan: { "-3": -3, "5": 5, "6": undefined },
} as const satisfies Record<string, Record<string, ConfigurationValue | undefined>>;

const access: Record<Key, "R" | "RW" | "W"> = {
  HeartbeatInterval: "RW",
  LocalPreAuthorize: "RW",
  MeterValuesSampledData: "RW",
  CpoName: "RW",
  AuthorizationKey: "W",
  NumberOfConnectors: "R",
  Fan: "RW",
};

const initial: Record<Key, ConfigurationValue | undefined> = {
  HeartbeatInterval: 300,
  LocalPreAuthorize: false,
  MeterValuesSampledData: ["Energy.Active.Import.Register"],
  CpoName: undefined,
  AuthorizationKey: undefined,
  NumberOfConnectors: 2,
  Fan: 0,
};

const keys = Object.keys(values) as readonly Key[];
const textOf = (value: ConfigurationValue) => (Array.isArray(value) ? value.join(",") : `${value}`);

/** What the store does with the next write: nothing happens, or it happens, and is said to have failed. */
type Weather = "fine" | "fails" | "writesAndFails";
type Verdict = "Accepted" | "Rejected" | "RebootRequired";

type Step =
  | { readonly type: "change"; key: Key; text: string; upper: boolean; verdict: Verdict; weather: Weather }
  | { readonly type: "set"; readonly key: Key; readonly text: string; readonly weather: Weather }
  | { readonly type: "restart" };

const keyAndText = fc
  .constantFrom(...keys)
  .chain((key) => fc.record({ key: fc.constant(key), text: fc.constantFrom(...Object.keys(values[key])) }));
const weather = fc.constantFrom<Weather>("fine", "fine", "fine", "fails", "writesAndFails");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        keyAndText,
        fc.record({
          type: fc.constant("change" as const),
          upper: fc.boolean(),
          verdict: fc.constantFrom<Verdict>("Accepted", "Accepted", "RebootRequired", "Rejected"),
          weather,
        }),
      )
      .map(([what, how]) => ({ ...what, ...how })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(keyAndText, fc.record({ type: fc.constant("set" as const), weather }))
      .map(([what, how]) => ({ ...what, ...how })),
  },
  { weight: 1, arbitrary: fc.constant({ type: "restart" as const }) },
);

/** What a configuration is, without how it comes about. */
class Model {
  readonly kept = new Map<Key, ConfigurationValue>();
  readonly latest = new Map<Key, ConfigurationValue | undefined>();
  readonly inEffect = new Map<Key, ConfigurationValue | undefined>();

  constructor() {
    this.restart();
  }

  restart(): void {
    for (const key of keys) {
      this.latest.set(key, this.kept.get(key) ?? initial[key]);
      this.inEffect.set(key, this.latest.get(key));
    }
  }

  assign(key: Key, value: ConfigurationValue, { atOnce }: { atOnce: boolean }): void {
    if (access[key] !== "R") this.kept.set(key, value);
    this.latest.set(key, value);
    if (atOnce) this.inEffect.set(key, value);
  }

  /** The answer to GetConfiguration for all of `keys`. */
  get told() {
    return keys
      .filter((key) => access[key] !== "W")
      .map((key) => {
        const value = this.latest.get(key);
        const known = { key, readonly: access[key] === "R" };
        return value === undefined ? known : { ...known, value: textOf(value) };
      });
  }
}

describe("Configuration", () => {
  it("is what a naive model says, through changes, failures and restarts [CORE-CC-01] [CORE-GC-02] [CFG-63]", async () => {
    const statuses = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: "max" }), async (steps) => {
        const memory = memoryStore();
        const reports: string[] = [];
        let next: Weather = "fine";
        let verdict: Verdict = "Accepted";
        const put: RecordStore["put"] = async (key, value) => {
          const now = next;
          next = "fine";
          if (now !== "fails") await memory.put(key, value);
          if (now !== "fine") throw new Error("no space");
        };
        const load = () =>
          Configuration.load<VendorKeys>({
            keys: {
              NumberOfConnectors: { value: 2 },
              MeterValuesSampledDataMaxLength: { value: 2 },
              CpoName: {},
              AuthorizationKey: {},
            },
            vendorKeys: { Fan: { type: "integer", access: "RW", minimum: -5, maximum: 5, value: 0 } },
            store: { ...memory, put },
            report: ({ message }) => reports.push(message),
            approve: async () => ({ status: verdict }),
          });
        const model = new Model();
        let configuration = await load();

        for (const step of steps) {
          next = "fine";
          if (step.type === "restart") {
            model.restart();
            configuration = await load();
          } else {
            const { key, text, weather } = step;
            const value: ConfigurationValue | undefined = (values[key] as Record<string, ConfigurationValue>)[text];
            const stored = weather === "fine" || access[key] === "R";
            next = weather;
            if (step.type === "set") {
              const done = configuration.set(key, value as never).then(
                () => true,
                () => false,
              );
              expect(await done).toBe(value !== undefined && stored);
              if (value !== undefined && stored) model.assign(key, value, { atOnce: true });
            } else {
              verdict = step.verdict;
              const valid = value !== undefined && access[key] !== "R" && stored;
              const expected = valid ? verdict : "Rejected";
              const failed = value !== undefined && access[key] !== "R" && verdict !== "Rejected" && !stored;
              const asked = step.upper ? key.toUpperCase() : key;
              expect(await configuration.changeConfiguration({ key: asked, value: text })).toEqual({
                status: expected,
              });
              expect(reports.splice(0)).toEqual(failed ? [`${key} was not changed, because the store failed.`] : []);
              if (expected !== "Rejected") {
                model.assign(key, value as ConfigurationValue, { atOnce: expected === "Accepted" });
              }
              statuses.set(expected, 1 + (statuses.get(expected) ?? 0));
            }
          }
          expect(reports).toEqual([]);
          for (const key of keys) expect(configuration.get(key), key).toEqual(model.inEffect.get(key));
          const { configurationKey } = configuration.getConfiguration({ key: [...keys] });
          expect(new Set(configurationKey)).toEqual(new Set(model.told));
        }
      }),
      { numRuns: 300 },
    );
    for (const status of ["Accepted", "Rejected", "RebootRequired"]) {
      expect(statuses.get(status), status).toBeGreaterThan(100);
    }
  });
});

/** Every standard key, each with a value. */
const everything = Object.fromEntries(
  Object.entries<ConfigurationKeyDefinition>(configurationKeys).map(([key, { type, default: value }]) => {
    // MaxLength keys are 500, so that they limit nothing that fits in a message.
    const some = { boolean: true, integer: key.endsWith("MaxLength") ? 500 : 3, CSL: [], string: "ab".repeat(20) };
    return [key, key === "SecurityProfile" ? {} : { value: value ?? some[type] }];
  }),
) as unknown as StandardKeys;

const someKey = fc.oneof(
  fc.constantFrom(...Object.keys(configurationKeys)).chain((key) => fc.mixedCase(fc.constant(key))),
  fc.string({ unit: "binary", maxLength: 25 }),
  fc.constantFrom("__proto__", "toString", "constructor", "hasOwnProperty"),
);
const someValue = fc.oneof(
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.string({ unit: "binary", minLength: 245, maxLength: 250 }).map((text) => text + text),
  fc.nat().map(String),
  fc.boolean().map(String),
  fc.subarray(["SoC", " Voltage.L1", "Energy.Active.Import.Register ", "RPM"]).map((items) => items.join(",")),
  fc.constantFrom("0.RST, 1.RTS", "00".repeat(20)),
);

describe("changeConfiguration and getConfiguration", () => {
  it("answer whatever is asked with a valid message [CORE-CC-01] [CORE-GC-01] [QD-11]", async () => {
    const statuses = new Set<string>();
    const asked = fc.array(someKey, { maxLength: 20 });
    const changes = fc.array(fc.record({ key: someKey, value: someValue }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(changes, asked, async (changes, key) => {
        const reports: Error[] = [];
        const report = (error: Error) => reports.push(error);
        const configuration = await Configuration.load({ keys: everything, store: memoryStore(), report });
        for (const change of changes) {
          const answer = await configuration.changeConfiguration(parseReq("ChangeConfiguration", change, "remote"));
          statuses.add(parseConf("ChangeConfiguration", answer, "local").status);
        }
        for (const req of [{}, { key: [] }, { key }]) {
          const answer = configuration.getConfiguration(parseReq("GetConfiguration", req, "remote"));
          parseConf("GetConfiguration", answer, "local");
        }
        expect(reports).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect([...statuses].sort()).toEqual(["Accepted", "NotSupported", "Rejected"]);
  });

  it("agree: what one tells of a key that can be changed, the other accepts [CORE-GC-05] [CFG-60]", async () => {
    const changes = fc.array(fc.record({ key: fc.constantFrom(...Object.keys(configurationKeys)), value: someValue }));
    await fc.assert(
      fc.asyncProperty(changes, async (changes) => {
        const reports: Error[] = [];
        const report = (error: Error) => reports.push(error);
        const configuration = await Configuration.load({ keys: everything, store: memoryStore(), report });
        for (const change of changes) await configuration.changeConfiguration(change);
        const { configurationKey = [] } = configuration.getConfiguration({});
        expect(configurationKey).toHaveLength(51);
        for (const { key, value, readonly } of configurationKey) {
          // A profile is not even set to what it is. [SEC-A05-01]
          const status = readonly || key === "SecurityProfile" ? "Rejected" : "Accepted";
          expect(await configuration.changeConfiguration({ key, value: value ?? "" }), key).toEqual({ status });
        }
        expect(configuration.getConfiguration({})).toEqual({ configurationKey });
        expect(reports).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
