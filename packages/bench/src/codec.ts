/** What happens between texts, in one process and without a network. */
import { actions, CentralSystem, ChargePoint, decode, encode, memoryStore, type Transport } from "@ocppj/core";
import { composite, limit, secondBySecond } from "./limits.ts";
import { meterValues } from "./messages.ts";
import { report } from "./report.ts";
import { type Contender, sideBySide } from "./side-by-side.ts";

const currentTime = "2026-01-01T00:00:00Z";

const repeat =
  (act: () => unknown): Contender["run"] =>
  (times) => {
    for (let time = 0; time < times; time++) act();
  };

/** How many texts arrive in one turn of the event loop. */
const perTurn = 16;

/** JSON alone, and a Central System that is given a text, has it handled and puts out the answer. */
function textToText(action: "Heartbeat" | "MeterValues", req: object, listens = false): readonly Contender[] {
  const conf = action === "Heartbeat" ? { currentTime } : {};
  const centralSystem = new CentralSystem({ registrations: new Map([["CP001", "Accepted"]]) });
  centralSystem.handle(action, () => conf as never);
  let heard = 0;
  if (listens) centralSystem.on("message", () => void heard++);
  let receive = (_: string): void => {};
  let answered = 0;
  const transport: Transport = {
    listen: ({ message }) => {
      receive = message;
    },
    send: () => {
      answered++;
    },
    close: () => {},
  };
  centralSystem.accept(transport, "CP001");

  let latest = 0;
  const payload = JSON.stringify(req);
  const next = (): string =>
    `[2,"8b0b3d1c-5a0e-4f6e-9d0c-${String(++latest).padStart(12, "0")}","${action}",${payload}]`;
  const turn = (): Promise<void> => new Promise(setImmediate);
  let length = 0;
  return [
    {
      name: "JSON.parse and JSON.stringify of the same",
      run: async (times) => {
        for (let time = 0; time < times; time++) {
          const [, messageId] = JSON.parse(next());
          length += JSON.stringify([3, messageId, conf]).length;
          if (time % perTurn === 0) await turn();
        }
        if (length === 0) throw new Error("Nothing was written.");
      },
    },
    {
      name: listens ? "a CentralSystem with a listener of `message`" : "a CentralSystem",
      run: async (times) => {
        const before = answered;
        for (let time = 0; time < times; time++) {
          receive(next());
          if (time % perTurn === 0) await turn();
        }
        while (answered < before + times) await turn();
      },
    },
  ];
}

/** Two transports, each of which hands over in place what the other sends. */
function linked(): readonly [Transport, Transport] {
  const messages: ((text: string) => void)[] = [];
  const end = (own: number): Transport => ({
    listen: ({ message }) => {
      messages[own] = message;
    },
    send: (sent) => messages[1 - own]?.(sent),
    close: () => {},
  });
  return [end(0), end(1)];
}

/** A whole transaction of a Charge Point: a start, a hundred meter values, a stop, all of them delivered. */
async function transactions(): Promise<Contender> {
  const centralSystem = new CentralSystem();
  let transactionId = 0;
  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime, interval: 86_400 }));
  centralSystem.handle("StartTransaction", () => ({
    transactionId: ++transactionId,
    idTagInfo: { status: "Accepted" },
  }));
  centralSystem.handle("MeterValues", () => ({}));
  centralSystem.handle("StatusNotification", () => ({}));
  centralSystem.handle("StopTransaction", () => ({}));
  const chargePoint = new ChargePoint({
    identity: "CP001",
    url: "ws://central.example.com/ocpp",
    connect: async () => {
      const [near, far] = linked();
      queueMicrotask(() => centralSystem.accept(far, "CP001"));
      return near;
    },
    boot: { chargePointVendor: "V", chargePointModel: "M" },
    store: memoryStore(),
  });
  const accepted = new Promise((resolve) => chargePoint.on("registration", resolve));
  await chargePoint.start();
  await accepted;
  const { meterValue } = meterValues(1);
  return {
    name: "a transaction of a ChargePoint with 100 MeterValues of 1.2 kB, all delivered",
    run: async (times) => {
      for (let time = 0; time < times; time++) {
        const transaction = chargePoint.startTransaction({ connectorId: 1, idTag: "TAG", meterStart: 0 });
        for (let count = 0; count < 100; count++) transaction.meterValues({ meterValue });
        transaction.stop({ meterStop: 1 });
        while (chargePoint.undelivered.count > 0) await new Promise(setImmediate);
      }
    },
  };
}

export async function codec(): Promise<void> {
  const text = JSON.stringify([2, "8b0b3d1c-5a0e-4f6e-9d0c-2f4f1c8f6a10", "MeterValues", meterValues(1)]);
  const frame = decode(text);
  if (frame.type !== "CALL") throw new Error("The frame is none.");
  const unit = "µs of CPU";
  report(
    `A MeterValues frame of ${text.length} bytes with ten values`,
    unit,
    await sideBySide([
      { name: "JSON.parse of the text", run: repeat(() => JSON.parse(text)) },
      { name: "decode", run: repeat(() => decode(text)) },
      { name: "JSON.stringify of the same", run: repeat(() => JSON.stringify(frame.payload)) },
      { name: "encode", run: repeat(() => encode(frame)) },
      {
        name: "zod alone: safeParse of the payload",
        run: repeat(() => actions.MeterValues.req.safeParse(frame.payload)),
      },
    ]),
    2,
  );
  const [json, unheard] = textToText("Heartbeat", {});
  const [, heard] = textToText("Heartbeat", {}, true);
  const heartbeats = [json, unheard, heard] as readonly Contender[];
  report("Text in, handler, text out: Heartbeat", unit, await sideBySide(heartbeats), 2);
  for (const [size, moments] of [
    ["1.2 kB", 1],
    ["10 kB", 9],
  ] as const) {
    const contenders = textToText("MeterValues", meterValues(moments));
    report(`Text in, handler, text out: MeterValues of ${size}`, unit, await sideBySide(contenders), 2);
  }
  report("Both ends in one process, everything but the network", unit, await sideBySide([await transactions()]), 2);
  report(
    "Limits of 20 charging profiles with 50 periods each",
    unit,
    await sideBySide([
      { name: "limitAt", run: repeat(limit) },
      { name: "compositeSchedule of a day", run: repeat(composite) },
      { name: "the same second by second", run: repeat(secondBySecond) },
    ]),
  );
}
