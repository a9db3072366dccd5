/*
 * What is given is taken at the moment of the call: owners use their objects again. Here they spoil everything that they
 * gave right after they gave it, and stores, wire and handlers see it as it was.
 */
import { arbitraryConf, arbitraryReq, FakeClock, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Action,
  type ActionFrom,
  AuthorizationCache,
  actions,
  CallError,
  CentralSystem,
  Configuration,
  Connection,
  callVendorMessage,
  check,
  LocalAuthList,
  memoryStore,
  quirks,
  type Role,
  type StandardSchema,
  VendorMessages,
  vendorMessage,
} from "../src/index.ts";
import { Site } from "./charge-point/site.ts";
import { rawPeer } from "./connection/raw-peer.ts";

/** Makes something else of everything in an object that somebody gave away. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    spoil(part);
    (value as Record<string, unknown>)[name] = "spoilt";
  }
  if (Array.isArray(value)) value.length = 0;
  else Object.assign(value, { spoilt: true });
}

/** The same for options, whose parts live on; but a list is the owner's, too. */
function spoilOptions(options: object): void {
  for (const list of Object.values(options)) if (Array.isArray(list)) list.length = 0;
  for (const name of Object.keys(options)) Object.assign(options, { [name]: "spoilt" });
}

/** Generates what an owner gives: a fresh copy for each run, since it is going to be spoilt. */
const given = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<() => T> =>
  arbitrary.map((value) => Object.assign(() => copyOf(value), { [fc.toStringMethod]: () => fc.stringify(value) }));

const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const names = Object.keys(actions) as Action[];
const other = (role: Role): Role => (role === "ChargePoint" ? "CentralSystem" : "ChargePoint");
const directions = names.flatMap((action) => actions[action].from.map((role) => ({ action, role })));
const report = (error: Error): void => {
  throw error;
};

describe("A payload is what it was when it was given", () => {
  test.each(directions)("in the $action of a $role that waits for its turn", async ({ action, role }) => {
    const first = role === "ChargePoint" ? "Heartbeat" : "ClearCache";
    await fc.assert(
      fc.asyncProperty(given(arbitraryReq(action)), async (take) => {
        const req = take();
        const { connection, send, arrived } = rawPeer(role);
        const expected = check(action, "req", req);
        void connection.call(first as ActionFrom<typeof role>, {}).catch(() => {});
        void connection.call(action as ActionFrom<typeof role>, req as never).catch(() => {});
        spoil(req);
        await send('[4,"1","GenericError","",{}]');
        expect(arrived).toEqual([expect.anything(), [2, "2", action, copyOf(expected)]]);
      }),
      { numRuns: 5 },
    );
  });

  test.each(directions)(
    "in the answer to $action from a $role, however long it is held back",
    async ({ action, role }) => {
      await fc.assert(
        fc.asyncProperty(arbitraryReq(action), given(arbitraryConf(action)), async (req, take) => {
          const conf = take();
          const clock = new FakeClock();
          const link = transportPair(clock);
          const [near, far] =
            role === "ChargePoint" ? [link.centralSystem, link.chargePoint] : [link.chargePoint, link.centralSystem];
          const arrived: unknown[] = [];
          far.listen({ message: (text) => arrived.push(JSON.parse(text)), close: () => {} });
          const expected = check(action, "conf", conf);
          let release = (): void => {};
          new Connection<Role>(
            near,
            { role: other(role), identity: "CP001", clock },
            {
              handlerOf: () => () => conf,
              responding: () => new Promise<void>((resolve) => (release = resolve)),
              emitted: () => {},
            },
          );
          far.send(JSON.stringify([2, "1", action, req]));
          await clock.advance(0);
          spoil(conf);
          release();
          await clock.advance(0);
          expect(arrived).toEqual([[3, "1", copyOf(expected)]]);
        }),
        { numRuns: 5 },
      );
    },
  );

  test("in what a ChargePoint boots with, reports, delivers, and tells of its transactions [CORE-TXQ-01]", async () => {
    await fc.assert(
      fc.asyncProperty(
        given(
          fc.record({
            boot: arbitraryReq("BootNotification"),
            // Timestamps of a clock that nobody has set are corrected.
            status: arbitraryReq("StatusNotification").map(({ timestamp: _, ...status }) => status),
            event: arbitraryReq("SecurityEventNotification"),
            start: arbitraryReq("StartTransaction"),
            values: arbitraryReq("MeterValues"),
            end: arbitraryReq("StopTransaction"),
          }),
        ),
        async (take) => {
          const {
            boot,
            status,
            event,
            start,
            values: { meterValue },
            end,
          } = take();
          const { transactionId: _, ...stop } = end;
          const expected = copyOf({
            boot: check("BootNotification", "req", boot),
            status: check("StatusNotification", "req", status),
            start: check("StartTransaction", "req", start),
            meterValue,
            stop,
            event,
          });
          const site = new Site({ boot });
          spoil(boot);
          site.behaviour.reachable = false;
          site.centralSystem.handle("StartTransaction", () => ({
            transactionId: 7,
            idTagInfo: { status: "Accepted" },
          }));
          site.centralSystem.handle("MeterValues", () => ({}));
          site.centralSystem.handle("StopTransaction", () => ({}));
          site.centralSystem.handle("SecurityEventNotification", () => ({}));
          await site.start();
          const { chargePoint } = site;
          chargePoint.report(status);
          chargePoint.deliver("SecurityEventNotification", event);
          const transaction = chargePoint.startTransaction(start);
          const { connectorId } = transaction;
          const values = { meterValue };
          transaction.meterValues(values);
          transaction.stop(stop);
          for (const given of [status, event, start, values, stop]) spoil(given);
          site.behaviour.reachable = true;
          await site.clock.advance(10_000);
          const received = Object.fromEntries(site.received);
          expect(site.said("fault")).toEqual([]);
          expect(received).toMatchObject({
            BootNotification: expected.boot,
            StatusNotification: expected.status,
            SecurityEventNotification: expected.event,
            StartTransaction: expected.start,
            MeterValues: { connectorId, transactionId: 7, meterValue: expected.meterValue },
            StopTransaction: { ...expected.stop, transactionId: 7 },
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  test("in the details of a CallError, which are what JSON can say of an object", async () => {
    await fc.assert(
      fc.asyncProperty(given(fc.dictionary(fc.string(), fc.jsonValue())), async (take) => {
        const details = take();
        const { connection, send, arrived } = rawPeer("CentralSystem");
        const expected = copyOf(details);
        const error = new CallError("GenericError", "", { details });
        spoil(details);
        connection.handle("Heartbeat", () => {
          throw error;
        });
        await send('[2,"1","Heartbeat",{}]');
        expect(arrived).toEqual([[4, "1", "GenericError", "", expected]]);
      }),
      { numRuns: 50 },
    );
    for (const details of [new Date(0), [1], { toJSON: () => "text" }, { big: 1n }] as never[]) {
      expect(new CallError("GenericError", "", { details }).details).toEqual({});
    }
  });

  test("in vendor messages, also while a schema takes its time; it is asked about what is sent [CORE-DT-04]", async () => {
    const seen: unknown[] = [];
    const slow: StandardSchema = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value) => {
          await undefined;
          seen.push(copyOf({ value }));
          return { value };
        },
      },
    };
    await fc.assert(
      fc.asyncProperty(given(fc.dictionary(fc.string(), fc.jsonValue())), async (take) => {
        const data = take();
        seen.length = 0;
        const clock = new FakeClock();
        const link = transportPair(clock);
        const caller = new Connection(link.chargePoint, { role: "ChargePoint", identity: "CP001", clock });
        const answerer = new Connection(link.centralSystem, { role: "CentralSystem", identity: "CP001", clock });
        const expected = copyOf(data);
        const definition = { vendorId: "com.example", messageId: "Limits", req: slow, conf: slow };
        const own = { ...definition };
        const message = vendorMessage(definition);
        const messages = new VendorMessages<"CentralSystem">();
        const answer = copyOf(data);
        messages.handle(own, (received) => {
          expect(received).toEqual(expected);
          return { status: "Accepted", data: answer };
        });
        spoilOptions(own);
        spoilOptions(definition);
        answerer.handle("DataTransfer", messages.answer);
        const options = { timeoutMs: 1000 };
        const ours = { ...message };
        const called = callVendorMessage(caller, ours, data, options);
        spoil(data);
        spoil(options);
        spoilOptions(ours);
        await clock.advance(0);
        expect(await called).toEqual({ status: "Accepted", data: expected });
        expect(seen).toEqual(Array(4).fill({ value: expected }));
      }),
      { numRuns: 50 },
    );
  });
});

describe("What is kept is what it was when it was given", () => {
  test("in a LocalAuthList, also when its turn comes later, and whatever happens to what was looked up [LAL-20]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryReq("SendLocalList"), { minLength: 1, maxLength: 4 }), async (updates) => {
        const lists = await Promise.all(
          [copyOf(updates), copyOf(updates)].map(async (reqs, index) => {
            const store = memoryStore();
            const list = await LocalAuthList.load(store, { report });
            const answers = reqs.map((req) => {
              const answer = list.update(req);
              if (index === 1) spoil(req);
              return answer;
            });
            const statuses = await Promise.all(answers);
            if (index === 1) for (const idTag of list.idTags) spoil(list.lookUp(idTag, 0));
            const entries = list.idTags.map((idTag) => [idTag, list.lookUp(idTag, 0)]);
            return { statuses, entries, version: list.version, records: await store.load("") };
          }),
        );
        expect(lists[1]).toEqual(lists[0]);
      }),
      { numRuns: 100 },
    );
  });

  test("in an AuthorizationCache, and whatever happens to what was looked up [CORE-CACHE-02]", async () => {
    await fc.assert(
      fc.asyncProperty(given(arbitraryConf("Authorize")), async (take) => {
        const { idTagInfo } = take();
        const store = memoryStore();
        const cache = await AuthorizationCache.load(store, { report });
        const expected = copyOf(idTagInfo);
        const updated = cache.update("TAG", idTagInfo, 0);
        spoil(idTagInfo);
        await updated;
        const first = cache.lookUp("TAG", Number.NEGATIVE_INFINITY);
        spoil(first);
        expect(cache.lookUp("TAG", Number.NEGATIVE_INFINITY)).toEqual(expected);
        const again = await AuthorizationCache.load(store, { report });
        expect(again.lookUp("TAG", Number.NEGATIVE_INFINITY)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("in a Configuration: initial values, definitions and what is set [CFG-62]", async () => {
    const keys = {
      AllowOfflineTxForUnknownId: { value: false },
      NumberOfConnectors: { value: 1 },
      SupportedFeatureProfiles: { value: ["Core"] },
      MeterValuesSampledData: { value: ["Voltage"], accepts: (list: readonly string[]) => list.length < 3 },
    };
    const vendorKeys = { Colors: { type: "CSL", access: "RW", value: ["red"], pattern: /^[a-z]+$/ } } as const;
    const options = {
      keys,
      vendorKeys,
      store: memoryStore(),
      report,
      approve: () => ({ status: "Accepted" }) as const,
    };
    const loading = Configuration.load(options);
    spoil(keys);
    spoil(vendorKeys);
    spoilOptions(options);
    const configuration = await loading;
    expect(configuration.get("MeterValuesSampledData")).toEqual(["Voltage"]);
    expect(configuration.get("Colors")).toEqual(["red"]);
    const colors = ["blue", "green"];
    const set = configuration.set("Colors", colors);
    spoil(colors);
    await set;
    expect(configuration.get("Colors")).toEqual(["blue", "green"]);
    const change = { key: "Colors", value: "yellow" };
    const changed = configuration.changeConfiguration(change);
    spoil(change);
    expect(await changed).toEqual({ status: "Accepted" });
    expect(configuration.get("Colors")).toEqual(["yellow"]);
    const sampled = (value: string) => configuration.changeConfiguration({ key: "MeterValuesSampledData", value });
    expect(await sampled("Voltage,SoC")).toEqual({ status: "Accepted" });
    expect(await sampled("Voltage,SoC,RPM")).toEqual({ status: "Rejected" });
  });
});

describe("Options are what they were when they were given", () => {
  /** A BootNotification that only a quirk lets pass. */
  const boot = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M","meterType":null}]';
  const accepted = { status: "Accepted", currentTime: "2026-01-01T00:00:00Z", interval: 300 } as const;

  test("to a Connection, and to its calls", async () => {
    const clock = new FakeClock();
    const link = transportPair(clock);
    const options = {
      role: "CentralSystem",
      identity: "CP001",
      clock,
      tolerate: [quirks.nullFields],
      timeoutMs: 1000,
    } as const;
    const connection = new Connection(link.centralSystem, options);
    spoilOptions(options);
    connection.handle("BootNotification", () => accepted);
    const arrived: unknown[] = [];
    link.chargePoint.listen({ message: (text) => arrived.push(JSON.parse(text)[0]), close: () => {} });
    link.chargePoint.send(boot);
    const timeouts = [{}, { timeoutMs: 5 }, { timeoutMs: undefined as never }].map((given) => {
      const answer = connection
        .call("ClearCache", {}, given)
        .catch(({ timeoutMs }: Error & { timeoutMs: number }) => timeoutMs);
      spoilOptions(given);
      return answer;
    });
    await clock.advance(3000);
    expect(await Promise.all(timeouts)).toEqual([1000, 5, 1000]);
    expect(arrived).toContain(3);
  });

  test("to a CentralSystem", async () => {
    const clock = new FakeClock();
    const link = transportPair(clock);
    const options = { clock, tolerate: [quirks.nullFields], registrations: new Map(), duplicates: "replace" as const };
    const centralSystem = new CentralSystem(options);
    spoilOptions(options);
    centralSystem.handle("BootNotification", () => accepted);
    centralSystem.accept(link.centralSystem, "CP001");
    const arrived: unknown[] = [];
    link.chargePoint.listen({ message: (text) => arrived.push(JSON.parse(text)[0]), close: () => {} });
    link.chargePoint.send(boot);
    await clock.advance(0);
    expect(arrived).toEqual([3]);
    expect(await centralSystem.admit("CP001")).toBeUndefined();
  });

  test("to a ChargePoint, for which undefined is the default", async () => {
    const options = {
      identity: "CP001",
      url: "ws://central.example.com/ocpp",
      boot: { chargePointVendor: "V", chargePointModel: "M" },
      tolerate: [quirks.nullFields],
      timeoutMs: 1000,
      maxQueuedMessages: undefined as never,
      retryBackOffWaitMinimum: undefined as never,
    };
    const own = new Site(options);
    own.centralSystem.handle("DataTransfer", () => new Promise(() => {}));
    spoil(options.boot);
    spoilOptions(options);
    await own.start();
    expect(own.received).toEqual([["BootNotification", { chargePointVendor: "V", chargePointModel: "M" }]]);
    const unanswered = own.chargePoint.call("DataTransfer", { vendorId: "V" }, { timeoutMs: undefined as never });
    const outcome = expect(unanswered).rejects.toMatchObject({ timeoutMs: 1000 });
    await own.clock.advance(30_000);
    await outcome;
    const heartbeat = own.chargePoint.call("Heartbeat", {}, { timeoutMs: undefined as never });
    own.chargePoint.report({
      connectorId: 1,
      status: "Available",
      errorCode: undefined as never,
      timestamp: undefined,
    });
    await own.clock.advance(0);
    await expect(heartbeat).resolves.toHaveProperty("currentTime");
    expect(own.received.at(-1)).toEqual([
      "StatusNotification",
      { connectorId: 1, status: "Available", errorCode: "NoError", timestamp: expect.stringMatching(/Z$/) },
    ]);
  });
});
