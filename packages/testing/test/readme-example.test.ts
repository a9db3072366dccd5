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
