import { describe, expectTypeOf, it } from "vitest";
import { Configuration, type ConfigurationChange } from "../../src/configuration/configuration.ts";
import type { ConfigurationKey, ConfigurationValue } from "../../src/configuration/configuration-keys.ts";
import { memoryStore } from "../../src/store/record-store.ts";

const store = memoryStore();
const report = (): void => {};
const NumberOfConnectors = { value: 2 };

declare const configuration: Configuration;

describe("ConfigurationValue", () => {
  it("is the type that the table says [CFG-01] [CFG-10] [CFG-18] [CFG-48]", () => {
    expectTypeOf<ConfigurationValue<"AllowOfflineTxForUnknownId">>().toEqualTypeOf<boolean>();
    expectTypeOf<ConfigurationValue<"HeartbeatInterval">>().toEqualTypeOf<number>();
    expectTypeOf<ConfigurationValue<"MeterValuesSampledData">>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<ConfigurationValue<"AuthorizationKey">>().toEqualTypeOf<string>();
  });

  it("is of no misspelt key [trap 18]", () => {
    // @ts-expect-error: it is ConnectionTimeOut
    expectTypeOf<"ConnectionTimeout">().toExtend<ConfigurationKey>();
  });
});

describe("get", () => {
  it("gives the required keys of Core a value, and the others perhaps [CFG-62]", () => {
    expectTypeOf(configuration.get("HeartbeatInterval")).toEqualTypeOf<number>();
    expectTypeOf(configuration.get("NumberOfConnectors")).toEqualTypeOf<number>();
    expectTypeOf(configuration.get("LocalPreAuthorize")).toEqualTypeOf<boolean>();
    expectTypeOf(configuration.get("StopTxnSampledData")).toEqualTypeOf<readonly string[]>();
    expectTypeOf(configuration.get("MessageTimeout")).toEqualTypeOf<number | undefined>();
    expectTypeOf(configuration.get("LocalAuthListMaxLength")).toEqualTypeOf<number | undefined>();
    expectTypeOf(configuration.get("AuthorizationKey")).toEqualTypeOf<string | undefined>();
  });

  it("refuses misspelt keys [trap 18]", () => {
    // @ts-expect-error: it is ConnectionTimeOut
    configuration.get("ConnectionTimeout");
    // @ts-expect-error: no such key
    configuration.get("toString");
  });
});

describe("set", () => {
  it("refuses misspelt keys and values of another type [trap 18]", () => {
    configuration.set("HeartbeatInterval", 300);
    configuration.set("MeterValuesSampledData", ["Voltage"]);
    // @ts-expect-error: an integer is a number
    configuration.set("HeartbeatInterval", "300");
    // @ts-expect-error: a list is not its text
    configuration.set("MeterValuesSampledData", "Voltage");
    // @ts-expect-error: nothing is no value
    configuration.set("MessageTimeout", undefined);
    // @ts-expect-error: it is ConnectionTimeOut
    configuration.set("ConnectionTimeout", 60);
  });
});

describe("listen", () => {
  it("types the value by the key, and refuses misspelt keys [trap 18]", () => {
    configuration.listen("HeartbeatInterval", (seconds) => expectTypeOf(seconds).toEqualTypeOf<number>());
    configuration.listen("AuthorizationKey", (key) => expectTypeOf(key).toEqualTypeOf<string>());
    // @ts-expect-error: it is ConnectionTimeOut
    configuration.listen("ConnectionTimeout", () => {});
  });
});

describe("load", () => {
  it("insists on the connectors, and has something to say for the other keys [CFG-22]", () => {
    Configuration.load({ keys: { NumberOfConnectors }, store, report });
    // @ts-expect-error: nobody else knows them
    Configuration.load({ keys: {}, store, report });
    // @ts-expect-error: an optional boolean has no value by itself
    Configuration.load({ keys: { NumberOfConnectors, AuthorizationCacheEnabled: {} }, store, report });
    Configuration.load({ keys: { NumberOfConnectors, MessageTimeout: {}, CpoName: {} }, store, report });
  });

  it("refuses misspelt keys, wrong values and wrong options [trap 18]", () => {
    // @ts-expect-error: it is ConnectionTimeOut
    Configuration.load({ keys: { NumberOfConnectors, ConnectionTimeout: { value: 60 } }, store, report });
    // @ts-expect-error: an integer is a number
    Configuration.load({ keys: { NumberOfConnectors, ConnectionTimeOut: { value: "60" } }, store, report });
    // @ts-expect-error: it is read-only in any case
    Configuration.load({ keys: { NumberOfConnectors: { value: 2, readonly: true } }, store, report });
    // @ts-expect-error: it is write-only in any case
    Configuration.load({ keys: { NumberOfConnectors, AuthorizationKey: { readonly: true } }, store, report });
  });

  it("types what accepts is asked", () => {
    const keys = {
      NumberOfConnectors,
      MeterValuesSampledData: { accepts: (list: readonly string[]) => list.includes("Voltage") },
    };
    Configuration.load({ keys, store, report });
    Configuration.load({
      keys: {
        NumberOfConnectors,
        HeartbeatInterval: {
          accepts: (seconds) => {
            expectTypeOf(seconds).toEqualTypeOf<number>();
            return true;
          },
        },
      },
      store,
      report,
    });
  });

  it("types the vendor's keys like the standard ones [CFG-64] [trap 18]", async () => {
    const mine = await Configuration.load({
      keys: { NumberOfConnectors },
      vendorKeys: {
        DisplayText: { type: "string", access: "RW" },
        FanSpeed: {
          type: "integer",
          access: "R",
          value: 3,
          accepts: (speed) => {
            expectTypeOf(speed).toEqualTypeOf<number>();
            return true;
          },
        },
      },
      store,
      report,
      approve: (change) => {
        if (change.key === "FanSpeed") expectTypeOf(change.value).toEqualTypeOf<number>();
        if (change.key === "HeartbeatInterval") expectTypeOf(change.value).toEqualTypeOf<number>();
        return { status: "Accepted" };
      },
    });
    expectTypeOf(mine.get("DisplayText")).toEqualTypeOf<string | undefined>();
    expectTypeOf(mine.get("FanSpeed")).toEqualTypeOf<number>();
    expectTypeOf(mine.get("HeartbeatInterval")).toEqualTypeOf<number>();
    mine.set("DisplayText", "hello");
    // @ts-expect-error: it is a string
    mine.set("DisplayText", 1);
    // @ts-expect-error: no such key
    mine.get("DisplayTexts");
  });

  it("gives what serves wherever a configuration without vendor keys does", async () => {
    const vendorKeys = { FanSpeed: { type: "integer", access: "R", value: 3 } } as const;
    const mine = await Configuration.load({ keys: { NumberOfConnectors }, vendorKeys, store, report });
    const any: Configuration = mine;
    expectTypeOf(any.get("HeartbeatInterval")).toEqualTypeOf<number>();
  });
});

describe("ConfigurationChange", () => {
  it("pairs each key with its own type [trap 18]", () => {
    expectTypeOf<{ key: "HeartbeatInterval"; value: number }>().toExtend<ConfigurationChange>();
    expectTypeOf<{ key: "HeartbeatInterval"; value: boolean }>().not.toExtend<ConfigurationChange>();
  });
});

describe("approve", () => {
  it("cannot say that a key is not supported [trap 18]", () => {
    // @ts-expect-error: the configuration knows its keys
    Configuration.load({ keys: { NumberOfConnectors }, store, report, approve: () => ({ status: "NotSupported" }) });
  });
});
