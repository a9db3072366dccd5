import assert from "node:assert/strict";
// #region definition
import { CentralSystem, ChargePoint, vendorMessage } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import { z } from "zod";

/** Either role sends it: the other one may draw so much from now on. */
const setLimit = vendorMessage({
  vendorId: "com.example",
  messageId: "SetLimit",
  req: z.object({ amperes: z.number().min(0), phases: z.number().default(3) }),
  conf: z.object({ amperes: z.number() }),
});

/** Its data is not JSON. */
const showText = vendorMessage({
  vendorId: "com.example",
  messageId: "ShowText",
  format: "text",
  req: z.string().max(32),
});
// #endregion

const centralSystem = new CentralSystem();
centralSystem.handle("BootNotification", () => ({
  status: "Accepted",
  currentTime: new Date().toISOString(),
  interval: 300,
}));
const listener = await listen(centralSystem);
const chargePoint = new ChargePoint({
  identity: "CP001",
  url: listener.url,
  connect: connect(),
  boot: { chargePointVendor: "VENDOR", chargePointModel: "M1" },
});
const shown: string[] = [];
const display = { show: (text: string) => shown.push(text) };

// #region receive
import { VendorMessages } from "@ocppj/core";

const vendorMessages = new VendorMessages<"ChargePoint">();
vendorMessages.handle(setLimit, ({ amperes, phases }) =>
  phases === 3 ? { status: "Accepted", data: { amperes: Math.min(amperes, 32) } } : { status: "Rejected" },
);
vendorMessages.handle(showText, (text) => {
  display.show(text);
  return { status: "Accepted" };
});

chargePoint.handle("DataTransfer", vendorMessages.answer);
// #endregion

await chargePoint.start();
await new Promise((resolve) => chargePoint.once("registration", resolve));

// #region send
import { type Connection, callVendorMessage } from "@ocppj/core";

/** Tells a charger how much it may draw, and returns what it will. */
async function limit(connection: Connection<"CentralSystem">, amperes: number): Promise<number> {
  const answer = await callVendorMessage(connection, setLimit, { amperes });
  switch (answer.status) {
    case "Accepted":
      return answer.data.amperes;
    case "Rejected":
      throw new Error(`${connection.identity} does not want to be limited.`);
    default:
      throw new Error(`${connection.identity} knows no SetLimit: ${answer.status}`);
  }
}
// #endregion

const connection = centralSystem.get("CP001");
assert(connection !== undefined);
assert.equal(await limit(connection, 50), 32);
assert.deepEqual(await callVendorMessage(connection, setLimit, { amperes: 50, phases: 1 }), {
  status: "Rejected",
  data: undefined,
});
await callVendorMessage(connection, showText, "Moin!");
assert.deepEqual(shown, ["Moin!"]);
assert.deepEqual(await connection.call("DataTransfer", { vendorId: "org.example" }), { status: "UnknownVendorId" });
await assert.rejects(
  connection.call("DataTransfer", { vendorId: "com.example", messageId: "SetLimit", data: "{}" }),
  /\[PropertyConstraintViolation\] data\.amperes does not fit the schema of com\.example SetLimit\b/,
);
await chargePoint.stop();
await listener.close();
