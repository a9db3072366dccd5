import { beforeEach, describe, expect, test } from "vitest";
import {
  type AppliedKey,
  applyConfiguration,
  CallError,
  CallTimeoutError,
  ConnectionClosedError,
  type Req,
  type WantedConfiguration,
} from "../../src/index.ts";
import { ScriptedCharger } from "./scripted-charger.ts";

let charger: ScriptedCharger;
beforeEach(() => {
  charger = new ScriptedCharger();
});

async function apply(wanted: WantedConfiguration): Promise<Record<string, string>> {
  const applied = await charger.outcome(applyConfiguration(charger.connection, wanted));
  if (applied instanceof Error) throw applied;
  return Object.fromEntries(applied.map(({ key, status }) => [key, status]));
}

const changes = (): [string, string][] =>
  charger.of<Req<"ChangeConfiguration">>("ChangeConfiguration").map(({ key, value }) => [key, value]);

describe("applyConfiguration", () => {
  test("changes what differs and can be changed, and tells what has become of each key [CORE-CC-02 … CORE-CC-05]", async () => {
    charger.keys.set("HeartbeatInterval", { value: "300" });
    charger.keys.set("ConnectionTimeOut", { value: "60" });
    charger.keys.set("LocalPreAuthorize", { value: "false", treats: "Rejected" });
    charger.keys.set("AuthorizeRemoteTxRequests", { value: "false", readonly: true });
    charger.keys.set("MeterValueSampleInterval", { value: "60", treats: "lies" });
    charger.keys.set("ResetRetries", { value: "1", treats: "CALLERROR" });
    charger.keys.set("LightIntensity", { value: "10", treats: "RebootRequired" });
    charger.keys.set("Color", { value: "red" });
    charger.keys.set("Secret", { value: "old", treats: "hidden" });
    expect(
      await apply({
        keys: {
          HeartbeatInterval: 300,
          ConnectionTimeOut: 90,
          LocalPreAuthorize: true,
          AuthorizeRemoteTxRequests: true,
          MeterValueSampleInterval: 30,
          ResetRetries: 2,
          LightIntensity: 50,
          BlinkRepeat: 3,
        },
        vendorKeys: { Color: "blue", Secret: "new", Unknown: 1 },
      }),
    ).toEqual({
      HeartbeatInterval: "Unchanged",
      ConnectionTimeOut: "Accepted",
      LocalPreAuthorize: "Rejected",
      AuthorizeRemoteTxRequests: "ReadOnly",
      MeterValueSampleInterval: "Ignored",
      ResetRetries: "Failed",
      LightIntensity: "RebootRequired",
      BlinkRepeat: "NotSupported",
      Color: "Accepted",
      Secret: "Accepted",
      Unknown: "NotSupported",
    });
    expect(changes().map(([key]) => key)).toEqual([
      "ConnectionTimeOut",
      "LocalPreAuthorize",
      "MeterValueSampleInterval",
      "ResetRetries",
      "LightIntensity",
      "Color",
      "Secret",
    ]);
  });

  test.each<[string, string, WantedConfiguration]>([
    ["a boolean in any case", " TRUE", { keys: { LocalPreAuthorize: true } }],
    ["an integer with zeros and blanks", "0300 ", { keys: { HeartbeatInterval: 300 } }],
    [
      "a list in any order, with blanks, in any case",
      "soc, Voltage.l1 ,",
      { keys: { MeterValuesSampledData: ["Voltage.L1", "SoC"] } },
    ],
    ["an empty list", "", { keys: { StopTxnSampledData: [] } }],
    ["a boolean of the vendor's", "False", { vendorKeys: { Lamp: false } }],
    ["a negative number of the vendor's", "-5", { vendorKeys: { Offset: -5 } }],
    ["a list of the vendor's", "b,a", { vendorKeys: { Modes: ["A", "B"] } }],
  ])("leaves %s that means the same [CORE-CC-10, CORE-CC-11, Q28]", async (_, value, wanted) => {
    const [key = ""] = Object.keys({ ...wanted.keys, ...wanted.vendorKeys });
    charger.keys.set(key.toUpperCase(), { value });
    expect(await apply(wanted)).toEqual({ [key]: "Unchanged" });
    expect(changes()).toEqual([]);
  });

  test("changes a text of the vendor's that differs in case only", async () => {
    charger.keys.set("Color", { value: "Red" });
    expect(await apply({ vendorKeys: { Color: "red" } })).toEqual({ Color: "Accepted" });
  });

  test("finds out whether a change whose answer never came has taken effect", async () => {
    charger.keys.set("HeartbeatInterval", { value: "300", treats: "mute" });
    expect(await apply({ keys: { HeartbeatInterval: 60 } })).toEqual({ HeartbeatInterval: "Accepted" });
  });

  test("tells the error where it stays unknown, and goes on with the other keys", async () => {
    charger.keys.set("A", { value: "1", treats: "CALLERROR" });
    charger.keys.set("B", { value: "1" });
    const [a, b] = (await charger.outcome(
      applyConfiguration(charger.connection, { vendorKeys: { A: 2, B: 2 } }),
    )) as AppliedKey[];
    expect([a, b]).toEqual([
      { key: "A", status: "Failed", error: expect.any(CallError) },
      { key: "B", status: "Accepted" },
    ]);
  });

  test("tells where it has nothing but the word of the charger: a key that is never told cannot be read back", async () => {
    charger.keys.set("Secret", { value: "old", treats: "hidden" });
    charger.keys.set("B", { value: "1" });
    const applying = applyConfiguration(charger.connection, { vendorKeys: { Secret: "new", B: 2 } });
    expect(await charger.outcome(applying)).toEqual([
      { key: "Secret", status: "Accepted", unread: true },
      { key: "B", status: "Accepted" },
    ]);
  });

  test("gives up where configurations cannot be read at all", async () => {
    charger.connection.close();
    charger.connect();
    charger.keys.set("A", { value: "1" });
    const silent = applyConfiguration(charger.connection, { vendorKeys: { A: 2 } });
    charger.link.chargePoint.mute();
    expect(await charger.outcome(silent)).toBeInstanceOf(CallTimeoutError);
  });

  test("serves two runs one after the other", async () => {
    charger.keys.set("A", { value: "1" });
    const both = Promise.all([
      applyConfiguration(charger.connection, { vendorKeys: { A: 2 } }),
      applyConfiguration(charger.connection, { vendorKeys: { A: 2 } }),
    ]);
    expect(await charger.outcome(both)).toEqual([
      [{ key: "A", status: "Accepted" }],
      [{ key: "A", status: "Unchanged" }],
    ]);
    expect(changes()).toEqual([["A", "2"]]);
  });

  test("serves a run after one that failed", async () => {
    charger.keys.set("A", { value: "1" });
    charger.losesAfter = 1;
    const first = charger.outcome(applyConfiguration(charger.connection, { vendorKeys: { A: 2 } }));
    const second = applyConfiguration(charger.connection, { vendorKeys: { A: 3 } }).catch((error: Error) => error);
    expect(await first).toBeInstanceOf(ConnectionClosedError);
    expect(await second).toBeInstanceOf(ConnectionClosedError);
  });

  test.each<[string, unknown, RegExp]>([
    ["a key that can only be read", { keys: { NumberOfConnectors: 2 } }, /can only be read/],
    ["the password", { keys: { AuthorizationKey: "00".repeat(20) } }, /^AuthorizationKey locks out(?!.*00)/],
    ["the profile", { keys: { SecurityProfile: 2 } }, /KnownCredentials/],
    ["a value of another type", { keys: { HeartbeatInterval: "300" } }, /HeartbeatInterval is no value/],
    ["a value out of range", { keys: { LightIntensity: 101 } }, /LightIntensity/],
    ["a key that is misspelt", { keys: { HeartBeatInterval: 300 } }, /no configuration key/],
    ["a standard key among those of the vendor", { vendorKeys: { heartbeatinterval: 300 } }, /standard key/],
    ["two keys that differ in case only", { vendorKeys: { a: 1, A: 1 } }, /case only/],
    ["a key that is too long", { vendorKeys: { ["k".repeat(51)]: 1 } }, /1 to 50/],
    ["a value that is too long", { vendorKeys: { a: "v".repeat(501) } }, /wanted of a/],
    ["a part that it does not have", { key: {} }, /no option/],
    ["a list of keys", { keys: [] }, /keys is/],
  ])("refuses to want %s, and sends nothing", async (_, wanted, message) => {
    const outcome = await charger.outcome(applyConfiguration(charger.connection, wanted as never));
    expect(outcome).toBeInstanceOf(TypeError);
    expect((outcome as Error).message).toMatch(message);
    expect(charger.received).toEqual([]);
  });
});
