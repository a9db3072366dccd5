import { beforeEach, describe, expect, test } from "vitest";
import { CallError, ConnectionClosedError } from "../../src/index.ts";
import { entries, identity, Scene } from "./scene.ts";

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});

const lamp = { configuration: { vendorKeys: { Lamp: false } } };

describe("Provisioning, where a step fails", () => {
  test.each(["wanted", "mayReset", "lists"] as const)("tells what %s throws, and begins anew", async (part) => {
    const error = new Error("The database is locked.");
    let isLocked = true;
    const fail = (): undefined => {
      if (isLocked) throw error;
    };
    scene.begin({ [part]: part === "lists" ? { get: fail, set: fail } : fail });
    scene.wanted = part === "lists" ? { localAuthList: [] } : lamp;
    const open = () => scene.script({ lamp: () => "true", reset: () => "Accepted" });
    await scene.bootAs(open());
    const configuration = [{ key: "Lamp", status: "RebootRequired" }];
    const outcome = { identity, configuration, reset: "Postponed" };
    expect(scene.told).toEqual([...(part === "mayReset" ? [outcome] : []), { identity, error }]);
    scene.told.length = 0;
    isLocked = false;
    for (const _ of [1, 2]) {
      scene.drop();
      open();
      await scene.settle();
    }
    const then = { wanted: { identity }, mayReset: outcome, lists: { identity, localAuthList: expect.anything() } };
    expect(scene.told).toEqual([then[part]]);
  });

  test.each(["wanted", "mayReset", "lists"] as const)("waits 30 s for %s, no longer", async (part) => {
    const hang = () => new Promise<never>(() => {});
    scene.begin({ [part]: part === "lists" ? { get: hang, set: hang } : hang });
    scene.wanted = part === "lists" ? { localAuthList: [] } : lamp;
    await scene.bootAs(scene.script({ lamp: () => "true", reset: () => "Accepted" }));
    const error = expect.objectContaining({ message: expect.stringMatching(/ has not answered within 30000 ms/) });
    expect(scene.told.at(-1)).toEqual({ identity, error });
    const run = scene.provisioning.provision(identity).catch((thrown: unknown) => thrown);
    await scene.settle();
    expect(await run).toEqual(error);
  });

  test("tells what each step has come to, whatever became of the others", async () => {
    scene.begin();
    scene.wanted = { configuration: { keys: { HeartbeatInterval: -1 } }, localAuthList: [] };
    const charger = scene.script({ lamp: () => "true", reset: () => "Accepted" });
    charger.handle("GetLocalListVersion", () => ({ listVersion: -1 }));
    await scene.bootAs(charger);
    const outcome = { identity, localAuthList: { status: "NotSupported" } };
    expect(scene.told).toEqual([outcome, { identity, error: expect.any(TypeError) }]);
    scene.told.length = 0;
    const run = scene.provisioning.provision(identity).catch((error: unknown) => error);
    await scene.settle();
    expect(await run).toBeInstanceOf(TypeError);
    expect(scene.told).toEqual([outcome]);
  });

  test("resets once for the same keys, although the list that is wanted is another one each time", async () => {
    scene.begin();
    const charger = scene.script({ lamp: () => "true", reset: () => "Accepted" });
    charger.handle("GetLocalListVersion", () => ({ listVersion: -1 }));
    for (const count of [1, 2, 3]) {
      scene.wanted = { ...lamp, localAuthList: entries.slice(count) };
      await scene.bootAs(charger);
    }
    expect(scene.told.map((event) => "reset" in event && event.reset)).toEqual(["Accepted", "Futile", "Futile"]);
  });

  test("remembers that a reboot is required when the connection is lost on the way, although the change is shown at once [CORE-CC-03]", async () => {
    scene.begin();
    scene.wanted = { ...lamp, localAuthList: [] };
    let value = "true";
    const open = (answer: () => void) => {
      const charger = scene.script({ lamp: () => value, reset: () => "Accepted" }, (req) => {
        value = req.value;
      });
      charger.handle("GetLocalListVersion", () => {
        answer();
        return { listVersion: -1 };
      });
      return charger;
    };
    await scene.bootAs(open(() => scene.drop()));
    open(() => {});
    await scene.settle();
    const localAuthList = { status: "NotSupported" };
    const unchanged = { identity, configuration: [{ key: "Lamp", status: "Unchanged" }], localAuthList };
    expect(scene.told).toEqual([
      { identity, configuration: [{ key: "Lamp", status: "RebootRequired" }] },
      { identity, error: expect.any(ConnectionClosedError) },
      { ...unchanged, reset: "Accepted" },
    ]);
    scene.drop();
    await scene.bootAs(open(() => {}));
    expect(scene.told.at(-1)).toEqual(unchanged);
  });

  test.each([
    ["refuses it", () => Promise.reject(new CallError("InternalError"))],
    ["never answers it", () => new Promise<never>(() => {})],
  ])("does not ask a charger again for a reset that %s, merely because it reconnects", async (_, reset) => {
    scene.begin();
    scene.wanted = lamp;
    for (const at of [0, 1, 2]) {
      const charger = scene.script({ lamp: () => "true", reset });
      if (at === 0) await scene.bootAs(charger);
      await scene.settle();
      if (at < 2) scene.drop();
    }
    expect(scene.resets).toBe(1);
    expect(scene.told).toMatchObject([{ configuration: [{ status: "RebootRequired" }] }, { error: expect.any(Error) }]);
  });
});
