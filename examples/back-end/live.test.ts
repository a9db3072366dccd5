import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { connect } from "@ocppj/node";
import { describe, expect, it } from "vitest";
import { Live } from "./live.ts";
import { start, TestBackEnd } from "./test-back-end.ts";

const backEnd = new TestBackEnd();

/** A response to somebody who reads nothing. */
class StuckResponse extends Writable {
  writeHead(): void {}

  override _write(): void {} // It is never done.
}

describe("Live", () => {
  it("disconnects who does not read, and goes on telling the others", async () => {
    const live = new Live(backEnd.running.centralSystem, backEnd.tables.chargers, {
      intervalMs: 1,
      maxBufferedBytes: 10_000,
    });
    const stuck = new StuckResponse();
    const told: string[] = [];
    const reader = Object.assign(new Writable({ write: (chunk, _, done) => done(void told.push(String(chunk))) }), {
      writeHead() {},
    });
    live.serve(stuck as unknown as ServerResponse);
    live.serve(reader as unknown as ServerResponse);
    const closed = new Promise((resolve) => stuck.once("close", resolve));

    const charger = await backEnd.boot();
    while (!stuck.destroyed) await charger.call("DataTransfer", { vendorId: "com.example", data: "x".repeat(5000) });
    await closed;
    expect(stuck.writableLength).toBeLessThan(100_000);
    const toldBefore = told.length;
    while (told.length === toldBefore) await charger.call("Heartbeat", {});
    live.close();
    expect(reader.destroyed).toBe(true);
  });

  it("does not take a long list of chargers for a slow reader", async () => {
    for (let index = 0; index < 100; index++) backEnd.tables.chargers.admit(`CP${index}`, "Accepted");
    const live = new Live(backEnd.running.centralSystem, backEnd.tables.chargers, {
      intervalMs: 1,
      maxBufferedBytes: 10_000,
    });
    const stuck = new StuckResponse();
    live.serve(stuck as unknown as ServerResponse);
    const waiting = stuck.writableLength;
    expect(waiting).toBeGreaterThan(10_000);

    const charger = await backEnd.boot();
    while (!stuck.destroyed && stuck.writableLength === waiting) await charger.call("Heartbeat", {});
    expect(stuck.destroyed).toBe(false);
    live.close();
  });

  it("tells everything first, and then each change once", async () => {
    const charger = await backEnd.boot();
    const told: { chargers: { identity: string }[]; frames: { number: number }[] }[] = [];
    const live = new Live(backEnd.running.centralSystem, backEnd.tables.chargers, { intervalMs: 1 });
    let hear = (): void => {};
    const reader = Object.assign(
      new Writable({
        write: (chunk, _, done) => {
          told.push(JSON.parse(String(chunk).split("data: ")[1] ?? ""));
          hear();
          done();
        },
      }),
      { writeHead() {} },
    );
    await charger.call("Heartbeat", {});
    live.serve(reader as unknown as ServerResponse);
    const idle = await backEnd.boot("CP002");
    const all = new Promise<void>((resolve) => {
      hear = () => {
        if (JSON.stringify(told).includes("transactionId")) resolve();
      };
    });
    await idle.call("StartTransaction", start());
    await all;
    live.close();

    expect(told[0]?.chargers.map(({ identity }) => identity)).toEqual(["CP001"]);
    const numbers = told.flatMap(({ frames }) => frames.map(({ number }) => number));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBe(6);
    expect(new Set(told.slice(1).flatMap(({ chargers }) => chargers.map(({ identity }) => identity)))).toEqual(
      new Set(["CP002"]),
    );
  });

  it("cuts what is long, and survives what is deep", async () => {
    const transport = await connect()({ url: backEnd.running.chargersUrl, identity: "CP001" });
    const answers = new Promise<void>((resolve) => {
      let count = 0;
      transport.listen({ message: () => ++count === 2 && resolve(), close() {} });
    });
    transport.send(JSON.stringify([2, "1", "A".repeat(10_000), { long: "x".repeat(100_000) }]));
    transport.send(`[2, "2", "Deep", {"deep": ${"[".repeat(100_000)}${"]".repeat(100_000)}}]`);
    await answers;

    const { body } = await fetch(`${backEnd.running.url}/live`);
    const reader = body?.getReader();
    const text = Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    transport.close();
    expect(text.length).toBeLessThan(10_000);
    expect(text).toContain("AAA…");
    expect(text).toContain("xxx…");
    expect(text).toContain('"title":"Deep","payload":"{\\"deep\\":[[[[');
  });
});
