import { ChargePoint, memoryStore, type Transaction } from "@ocppj/core";
import { report } from "./report.ts";

/** How long the calls of a charge point take whose queue is full, one by one. */
export async function fullQueue(): Promise<void> {
  const store = memoryStore();
  const open = (): ChargePoint =>
    new ChargePoint({
      identity: "CP001",
      url: "ws://central.example.com/ocpp",
      connect: () => new Promise(() => {}),
      boot: { chargePointVendor: "V", chargePointModel: "M" },
      store,
    });
  const chargePoint = open();
  await chargePoint.start();
  const meterValue = [{ sampledValue: [{ value: "12345" }] }];
  const times = new Map<string, number[]>();
  const timed = async <Result>(name: string, act: () => Result): Promise<Result> => {
    const began = performance.now();
    const result = act();
    const elapsed = performance.now() - began;
    const all = times.get(name) ?? [];
    if (all.push(elapsed) === 1) times.set(name, all);
    await new Promise(setImmediate); // What is written in the meantime is not part of the next call.
    return result;
  };
  const running = chargePoint.startTransaction({ connectorId: 1, idTag: "TAG", meterStart: 0 });
  for (let index = 1; index < 10_000; index++) running.meterValues({ meterValue });
  for (let index = 0; index < 1000; index++) {
    await timed("meterValues, which thins out others", () => running.meterValues({ meterValue }));
    const start = { connectorId: 2, idTag: "TAG", meterStart: 0 };
    const transaction: Transaction = await timed("startTransaction", () => chargePoint.startTransaction(start));
    await timed("stop", () => transaction.stop({ meterStop: 1 }));
    await timed("undelivered", () => chargePoint.undelivered.count);
  }
  await chargePoint.stop();
  const longest = [...times].map(([name, durations]) => [name, [Math.max(...durations)]]);
  report("A charge point with 10 000 messages that wait: a call", "ms", Object.fromEntries(times), 3);
  report("The same, the longest", "ms", Object.fromEntries(longest), 2);
}
