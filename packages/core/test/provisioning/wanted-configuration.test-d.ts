import { test } from "vitest";
import { applyConfiguration, type ChargerCaller, type WantedConfiguration } from "../../src/index.ts";

declare const charger: ChargerCaller;

test("a wanted configuration has keys that can be changed, with values of their types", () => {
  const wanted: WantedConfiguration = {
    keys: { HeartbeatInterval: 300, LocalPreAuthorize: true, MeterValuesSampledData: ["SoC"], CpoName: "Us" },
    vendorKeys: { Lamp: false, Modes: ["a", "b"] },
  };
  void applyConfiguration(charger, wanted);
  // @ts-expect-error It is an integer.
  void applyConfiguration(charger, { keys: { HeartbeatInterval: "300" } });
  // @ts-expect-error It can only be read.
  void applyConfiguration(charger, { keys: { NumberOfConnectors: 2 } });
  // @ts-expect-error KnownCredentials changes it.
  void applyConfiguration(charger, { keys: { AuthorizationKey: "00" } });
  // @ts-expect-error KnownCredentials changes it.
  void applyConfiguration(charger, { keys: { SecurityProfile: 2 } });
  // @ts-expect-error There is no such key.
  void applyConfiguration(charger, { keys: { HeartBeatInterval: 300 } });
});
