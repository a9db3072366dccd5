import { expectTypeOf, test } from "vitest";
import type { AnyCall, CentralSystem, Connection, Req, Transport } from "../../src/index.ts";

interface Tenant {
  readonly tenant: string;
}
declare const transport: Transport;
declare const plain: CentralSystem;
declare const facade: CentralSystem<Tenant>;

test("every handler gets the context that belongs to the connection", () => {
  facade.handle("Heartbeat", (_, { connection, signal }) => {
    expectTypeOf(connection.context).toEqualTypeOf<Tenant>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    return { currentTime: "" };
  });
  facade.handleOthers((call, { connection }) => {
    expectTypeOf(connection.context).toEqualTypeOf<Tenant>();
    expectTypeOf(call).toEqualTypeOf<AnyCall>();
    if (call.action === "Authorize") expectTypeOf(call.req).toEqualTypeOf<Req<"Authorize">>();
    return {};
  });
  facade.on("connected", ({ connection }) => expectTypeOf(connection.context).toEqualTypeOf<Tenant>());
  expectTypeOf(facade.get("CP001")).toEqualTypeOf<Connection<"CentralSystem", Tenant> | undefined>();
});

test("accept wants it where there is one", () => {
  plain.accept(transport, "CP001");
  facade.accept(transport, "CP001", { tenant: "A" });
  // @ts-expect-error: the context is missing
  facade.accept(transport, "CP001");
  // @ts-expect-error: it is another one
  facade.accept(transport, "CP001", { tenant: 1 });
});

test("what takes any Central System, or any connection, takes those with a context", () => {
  expectTypeOf(facade).toExtend<CentralSystem>();
  expectTypeOf<Connection<"CentralSystem", Tenant>>().toExtend<Connection<"CentralSystem">>();
});
