// #region timeout
import { Connection } from "@ocppj/core";
import { FakeClock, transportPair } from "@ocppj/testing";
import { expect, test } from "vitest";

test("gives up on a Central System that does not answer", async () => {
  const clock = new FakeClock();
  const link = transportPair(clock, { latencyMs: 50 });
  const connection = new Connection(link.chargePoint, { role: "ChargePoint", identity: "CP001", clock });

  const failure = connection.call("Heartbeat", {}).catch((error) => error);
  link.centralSystem.mute();
  await clock.advance(30_000);

  expect(await failure).toMatchObject({ name: "CallTimeoutError", timeoutMs: 30_000 });
  expect(link.chargePoint.sent).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

// #endregion

import { type OpenedTransport, transportContract } from "@ocppj/testing";
import { afterAll, beforeAll } from "vitest";

const clock = new FakeClock();
let running = true;
beforeAll(() => {
  void (async () => {
    while (running) await clock.advance(10);
  })();
});
afterAll(() => {
  running = false;
});

/** A linked transport, with its other end as the peer. */
async function open(): Promise<OpenedTransport> {
  const { chargePoint: transport, centralSystem: end } = transportPair(clock);
  const received: string[] = [];
  let closing: { readonly code: number; readonly reason: string } | undefined;
  let wake = (): void => {};
  const until = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await new Promise<void>((resolve) => (wake = resolve));
  };
  end.listen({
    message: (text) => {
      received.push(text);
      wake();
    },
    close: (code, reason) => {
      closing = { code, reason };
      wake();
    },
  });
  return {
    transport,
    peer: {
      send: async (text) => end.send(text),
      receive: async () => {
        await until(() => received.length > 0 || closing !== undefined);
        return received.shift();
      },
      close: async (code, reason) => end.close(code, reason),
      closed: async () => {
        await until(() => closing !== undefined);
        return closing ?? { code: 1006, reason: "" };
      },
      vanish: async () => end.drop(),
      stall: async () => end.mute(),
    },
  };
}

// #region contract
for (const { title, run } of transportContract(open)) test(title, run);

// #endregion

// #region hardware
import { simulatedHardware } from "@ocppj/charger";
import { hardwareContract } from "@ocppj/testing";

const openHardware = () => {
  const hardware = simulatedHardware({ meterSeconds: 0.1 }); // Yours
  return {
    hardware,
    plug: () => hardware.plug(1),
    unplug: () => void hardware.unplug(1),
    isClosed: () => hardware.state[0]?.offer !== undefined,
    pass: () => new Promise<void>((resolve) => setTimeout(resolve, 200)), // As long as your meter takes
  };
};
for (const { title, run } of hardwareContract(openHardware)) test(title, run);
// #endregion
