import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import * as mini from "zod/mini";
import { z as z3 } from "zod/v3";
import {
  type CentralSystem,
  type ChargePoint,
  type Connection,
  callVendorMessage,
  type HandlerContext,
  type StandardSchema,
  VendorMessages,
  vendorMessage,
} from "../../src/index.ts";

declare const connection: Connection<"CentralSystem">;
declare const ownConnection: Connection<"ChargePoint">;
declare const chargePoint: ChargePoint;
declare const centralSystem: CentralSystem;
/** As another library would declare its schemas. */
declare const amperes: StandardSchema<{ amperes: string }, { amperes: number }>;

const limits = vendorMessage({
  vendorId: "com.example",
  messageId: "SetLimits",
  req: z.object({ amperes: z.number(), until: z.optional(z.string()) }),
  conf: z.object({ applied: z.boolean() }),
});
const ping = vendorMessage({ vendorId: "com.example", messageId: "Ping" });
const label = vendorMessage({ vendorId: "com.example", messageId: "Label", format: "text", req: z.string() });
const forgetful = vendorMessage({ vendorId: "com.example", conf: z.optional(z.number()) });
const converted = vendorMessage({ vendorId: "org.example", req: amperes, conf: amperes });

test("whoever sends gives the input of the schema, and gets the output of the other", async () => {
  const answer = await callVendorMessage(connection, limits, { amperes: 16 }, { timeoutMs: 1000 });
  expectTypeOf(answer.status).toEqualTypeOf<"Accepted" | "Rejected" | "UnknownVendorId" | "UnknownMessageId">();
  if (answer.status === "Accepted") expectTypeOf(answer.data).toEqualTypeOf<{ applied: boolean }>();
  if (answer.status === "Rejected") expectTypeOf(answer.data).toEqualTypeOf<{ applied: boolean } | undefined>();
  if (answer.status === "UnknownVendorId") expectTypeOf(answer.data).toEqualTypeOf<undefined>();

  const number = await callVendorMessage(connection, converted, { amperes: "16" });
  if (number.status === "Accepted") expectTypeOf(number.data).toEqualTypeOf<{ amperes: number }>();
  // @ts-expect-error: the schema makes a number of it, but does not accept one
  callVendorMessage(connection, converted, { amperes: 16 });
  // @ts-expect-error: amperes is missing
  callVendorMessage(connection, limits, {});
  // @ts-expect-error: the field is called amperes
  callVendorMessage(connection, limits, { amperes: 16, ampere: 16 });
  // @ts-expect-error: this message carries no data
  callVendorMessage(connection, ping, {});
  // @ts-expect-error: a text is no number
  callVendorMessage(connection, label, 7);
});

test("a Connection of either role and a ChargePoint send vendor messages", () => {
  expectTypeOf(callVendorMessage(ownConnection, label, "A1")).toEqualTypeOf(callVendorMessage(connection, label, "A1"));
  expectTypeOf(callVendorMessage(chargePoint, ping, undefined)).resolves.toHaveProperty("data");
  // @ts-expect-error: a CentralSystem calls nobody in particular
  callVendorMessage(centralSystem, ping, undefined);
});

test("a handler gets the output of the schema, and answers with the input of the other", () => {
  const vendorMessages = new VendorMessages<"CentralSystem">();
  vendorMessages.handle(limits, (data, context) => {
    expectTypeOf(data).toEqualTypeOf<{ amperes: number; until?: string | undefined }>();
    expectTypeOf(context).toEqualTypeOf<HandlerContext<"CentralSystem">>();
    return { status: "Accepted", data: { applied: true } };
  });
  vendorMessages.handle(converted, ({ amperes }) => {
    expectTypeOf(amperes).toEqualTypeOf<number>();
    return { status: "Accepted", data: { amperes: `${amperes}` } };
  });
  vendorMessages.handle(ping, async (data) => {
    expectTypeOf(data).toEqualTypeOf<undefined>();
    return { status: "Accepted" };
  });
  vendorMessages.handle(forgetful, () => ({ status: "Accepted" }));
  vendorMessages.handle(forgetful, () => ({ status: "Accepted", data: 7 }));
  vendorMessages.handle(limits, () => ({ status: "Rejected" }));
  vendorMessages.handle(limits, () => ({ status: "Rejected", data: { applied: false } }));
  // @ts-expect-error: what was agreed upon is missing
  vendorMessages.handle(limits, () => ({ status: "Accepted" }));
  // @ts-expect-error: applied is a boolean
  vendorMessages.handle(limits, () => ({ status: "Accepted", data: { applied: 1 } }));
  // @ts-expect-error: that status is not the handler's to give
  vendorMessages.handle(limits, () => ({ status: "UnknownVendorId" }));
  // @ts-expect-error: the schema gives a number
  vendorMessages.handle(converted, (data: { amperes: string }) => ({ status: "Accepted", data }));
});

test("the role of the handlers is that of whoever receives the messages", () => {
  centralSystem.handle("DataTransfer", new VendorMessages<"CentralSystem">().answer);
  connection.handle("DataTransfer", new VendorMessages<"CentralSystem">().answer);
  chargePoint.handle("DataTransfer", new VendorMessages<"ChargePoint">().answer);
  ownConnection.handle("DataTransfer", new VendorMessages<"ChargePoint">().answer);
  // @ts-expect-error: its handlers would be given connections of the other role
  chargePoint.handle("DataTransfer", new VendorMessages<"CentralSystem">().answer);
});

test("schemas of any library will do", () => {
  const inMini = vendorMessage({ vendorId: "com.example", conf: mini.object({ a: mini.number() }) });
  expectTypeOf(callVendorMessage(connection, inMini, undefined)).resolves.toEqualTypeOf<
    | { readonly status: "Accepted"; readonly data: { a: number } }
    | { readonly status: "Rejected"; readonly data: { a: number } | undefined }
    | { readonly status: "UnknownVendorId" | "UnknownMessageId"; readonly data: undefined }
  >();
  const inV3 = vendorMessage({ vendorId: "com.example", req: z3.object({ a: z3.number().default(1) }) });
  callVendorMessage(connection, inV3, {});
  new VendorMessages<"CentralSystem">().handle(inV3, ({ a }) => {
    expectTypeOf(a).toEqualTypeOf<number>();
    return { status: "Accepted" };
  });
});

test("data that is text needs schemas of text", () => {
  vendorMessage({ vendorId: "com.example", format: "text", req: z.optional(z.string()), conf: z.enum(["on", "off"]) });
  // @ts-expect-error: a number is no text
  vendorMessage({ vendorId: "com.example", format: "text", req: z.number() });
  // @ts-expect-error: there is no such format
  vendorMessage({ vendorId: "com.example", format: "xml" });
  // @ts-expect-error: this is no schema
  vendorMessage({ vendorId: "com.example", req: { type: "object" } });
  // @ts-expect-error: every vendor message has a vendorId
  vendorMessage({ messageId: "SetLimits" });
});
