import { FakeClock, hardwareContract } from "@ocppj/testing";
import { describe, test } from "vitest";
import { simulatedHardware } from "../../src/index.ts";

describe("Simulated hardware keeps the contract", () => {
  const clock = new FakeClock();
  const open = () => {
    const hardware = simulatedHardware({ clock });
    return {
      hardware,
      plug: () => hardware.plug(1),
      unplug: () => void hardware.unplug(1),
      isClosed: () => hardware.state[0]?.offer !== undefined,
      limit: () => (hardware.state[0]?.power ?? 0) / 230 / 3,
      pass: () => clock.advance(3000),
    };
  };
  test.each(hardwareContract(open, { clock }).map((each) => [each.title, each] as const))("%s", (_, { run }) => run());
});
