import { FakeClock, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CallError, Connection, callVendorMessage, VendorMessages, vendorMessage } from "../../src/index.ts";
import { finding, vendorId } from "./vocabulary.ts";

const anything = finding(undefined);
const json = vendorMessage({ vendorId, messageId: "json", req: anything, conf: anything });
const text = vendorMessage({
  vendorId,
  messageId: "text",
  format: "text",
  req: anything as never,
  conf: anything as never,
});

/** A Charge Point that says again what it is told, and its Central System. */
function echo() {
  const clock = new FakeClock();
  const link = transportPair(clock);
  const centralSystem = new Connection(link.centralSystem, { role: "CentralSystem", identity: "CP001", clock });
  const chargePoint = new Connection(link.chargePoint, { role: "ChargePoint", identity: "CP001", clock });
  const vendorMessages = new VendorMessages<"ChargePoint">();
  const received: unknown[] = [];
  for (const message of [json, text]) {
    vendorMessages.handle(message, (data) => {
      received.push(data);
      return { status: "Accepted", data };
    });
  }
  chargePoint.handle("DataTransfer", vendorMessages.answer);
  return { clock, centralSystem, received };
}

const roundTrip = async (message: typeof json | typeof text, data: unknown) => {
  const { clock, centralSystem, received } = echo();
  const answer = callVendorMessage(centralSystem, message as typeof json, data);
  await clock.advance(10);
  return { received, answer: await answer };
};

describe("Vendor messages", () => {
  test("bring any JSON value there and back [CORE-DT-04]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (given) => {
        const data = JSON.parse(JSON.stringify(given)); // JSON has no -0.
        expect(await roundTrip(json, data)).toEqual({ received: [data], answer: { status: "Accepted", data } });
      }),
    );
  });

  test("bring any text there and back [CORE-DT-04]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.json()), async (data) => {
        expect(await roundTrip(text, data)).toEqual({ received: [data], answer: { status: "Accepted", data } });
      }),
    );
  });

  test("never repeat what cannot be read [trap 15]", async () => {
    const vendorMessages = new VendorMessages<"CentralSystem">();
    const refused = vendorMessage({ vendorId, req: finding([{ message: "SECRET", path: [] }]) });
    vendorMessages.handle(refused, () => ({ status: "Accepted" }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (hidden) => {
        const data = `${hidden}SECRET`;
        const error = await vendorMessages.answer({ vendorId, data }, {} as never).catch((error) => error);
        expect(error).toBeInstanceOf(CallError);
        expect(`${error.code} ${error.description} ${JSON.stringify(error.details)}`).not.toContain("SECRET");
      }),
    );
  });
});
