import { FakeClock, type TransportPair, transportPair } from "@ocppj/testing";
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  CallError,
  CallTimeoutError,
  CentralSystem,
  Connection,
  ConnectionClosedError,
  type CredentialRecord,
  type CredentialStore,
  type EnrolledCredentials,
  KnownCredentials,
  NotAcceptedError,
  type PasswordHash,
  type RegistrationStatus,
  type Req,
} from "../../src/index.ts";
import { damages } from "../store/damage.ts";

const identity = "CP001";
const oldKey = "00".repeat(20);
const newKey = "ff".repeat(20);
const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");

/** Recognizable, and made within one turn of the event loop. */
const openHash: PasswordHash = {
  seal: (password) => `sealed ${Buffer.from(password).toString("hex")}`,
  verify: (password, sealed) => sealed === `sealed ${Buffer.from(password).toString("hex")}`,
};

/** A Central System that knows one Charge Point, which answers as the test says. */
class Scene {
  readonly clock = new FakeClock();
  readonly records = new Map<string, CredentialRecord>();
  readonly registrations = new Map<string, RegistrationStatus>([[identity, "Accepted"]]);
  readonly faults: unknown[] = [];
  readonly changes: Req<"ChangeConfiguration">[] = [];
  centralSystem!: CentralSystem;
  credentials!: KnownCredentials;
  chargePoint!: Connection<"ChargePoint">;
  link!: TransportPair;
  answer: () => unknown = () => ({ status: "Accepted" });

  constructor() {
    this.restart();
  }

  restart(store: CredentialStore = this.records): void {
    const { clock, registrations } = this;
    this.centralSystem = new CentralSystem({ clock, registrations });
    this.centralSystem.on("fault", ({ error }) => this.faults.push(error));
    this.credentials = new KnownCredentials({ centralSystem: this.centralSystem, store, passwordHash: openHash });
  }

  async begin(enrolled: EnrolledCredentials = { authorizationKey: oldKey }): Promise<void> {
    await this.credentials.enroll(identity, enrolled);
    expect(await this.connect(enrolled.authorizationKey as string, enrolled.securityProfile)).toBe(true);
  }

  admits(key: string | undefined, securityProfile: 0 | 1 | 2 | 3 = 0): Promise<boolean | "unknown-identity"> {
    const password = key === undefined ? undefined : bytes(key);
    return this.credentials.authenticate({ identity, password, securityProfile });
  }

  open(): void {
    this.link = transportPair(this.clock);
    this.centralSystem.accept(this.link.centralSystem, identity);
    this.chargePoint = new Connection(this.link.chargePoint, { role: "ChargePoint", identity, clock: this.clock });
    this.chargePoint.handle("ChangeConfiguration", (req) => {
      this.changes.push(req);
      return this.answer() as never;
    });
  }

  async connect(key: string | undefined, securityProfile?: 0 | 1 | 2 | 3): Promise<boolean | "unknown-identity"> {
    const decision = await this.admits(key, securityProfile);
    if (decision === true) this.open();
    await this.clock.advance(0);
    return decision;
  }

  /** Which of the keys are accepted now. */
  async accepted(...keys: (string | undefined)[]): Promise<(string | undefined)[]> {
    const decisions = await Promise.all(keys.map((key) => this.admits(key)));
    return keys.filter((_, at) => decisions[at] === true);
  }

  async outcome(change: Promise<unknown>, ms = 0): Promise<unknown> {
    const settled = change.catch((error: unknown) => error);
    await this.clock.advance(ms);
    return settled;
  }

  change(authorizationKey: string | Uint8Array = newKey): Promise<unknown> {
    return this.outcome(this.credentials.changeAuthorizationKey(identity, { authorizationKey }));
  }

  raise(profile: 1 | 2 | 3): Promise<unknown> {
    return this.outcome(this.credentials.raiseSecurityProfile(identity, profile));
  }
}

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});

describe("KnownCredentials.authenticate", () => {
  test("lets in who has the password, and nobody else [SEC-A00-207]", async () => {
    await scene.credentials.enroll(identity, { authorizationKey: oldKey });
    expect(await scene.accepted(oldKey, newKey, "", undefined, oldKey.slice(2))).toEqual([oldKey]);
  });

  test("tells a Charge Point that is not known from a wrong password", async () => {
    expect(await scene.admits(oldKey)).toBe("unknown-identity");
    await scene.credentials.enroll(identity, { authorizationKey: oldKey });
    expect(await scene.admits(newKey)).toBe(false);
  });

  test("lets in a Charge Point that has no password without one only", async () => {
    await scene.credentials.enroll(identity, {});
    expect(await scene.accepted(oldKey, "", undefined)).toEqual([undefined]);
  });

  test("takes a password that is no AuthorizationKey, byte for byte", async () => {
    await scene.credentials.enroll(identity, { authorizationKey: bytes("c3a9") });
    expect(await scene.accepted("c3a9", oldKey)).toEqual(["c3a9"]);
  });

  test("refuses another profile than the one that is expected, a higher one too [SEC-A00-002]", async () => {
    await scene.credentials.enroll(identity, { authorizationKey: oldKey, securityProfile: 2 });
    const decisions = await Promise.all(([0, 1, 2, 3] as const).map((profile) => scene.admits(oldKey, profile)));
    expect(decisions).toEqual([false, false, true, false]);
  });

  test("asks for no password where a certificate has been verified", async () => {
    await scene.credentials.enroll(identity, { securityProfile: 3 });
    expect(await scene.admits(undefined, 3)).toBe(true);
    expect(await scene.admits(undefined, 2)).toBe(false);
  });

  test.each([
    ["text", "secret"],
    ["39 digits", "0".repeat(39)],
    ["nothing", new Uint8Array()],
  ])("enrolls no key that is %s, and does not repeat it", async (_, authorizationKey) => {
    const enrolling = scene.credentials.enroll(identity, { authorizationKey });
    await expect(enrolling).rejects.toThrow(TypeError);
    await expect(enrolling).rejects.toThrow(/^(?!.*secret)/);
    expect(scene.records.size).toBe(0);
  });

  test("hashes what it stores, unless told otherwise [J-185] [SEC-A01-08]", async () => {
    const { centralSystem, records } = scene;
    const credentials = new KnownCredentials({ centralSystem, store: records });
    await credentials.enroll(identity, { authorizationKey: newKey });
    expect(records.get(identity)?.authorizationKey).toMatch(/^pbkdf2-sha256\$/);
    expect(await credentials.authenticate({ identity, password: bytes(newKey), securityProfile: 0 })).toBe(true);
    expect(await credentials.authenticate({ identity, password: bytes(oldKey), securityProfile: 0 })).toBe(false);
  });
});

test("KnownCredentials.authenticate looks at the password that it was given, whatever becomes of the buffer", async () => {
  const scene = new Scene();
  await scene.begin();
  const password = bytes(newKey);
  const decision = scene.credentials.authenticate({ identity, password, securityProfile: 0 });
  password.set(bytes(oldKey));
  expect(await decision).toBe(false);
});

describe("KnownCredentials.changeAuthorizationKey", () => {
  test("sends the key in 40 hexadecimal digits [J-177] [SEC-A01-02]", async () => {
    await scene.begin();
    await scene.change(bytes(newKey));
    expect(scene.changes).toEqual([{ key: "AuthorizationKey", value: newKey }]);
  });

  test("makes 20 random bytes by itself, others each time [SEC-A01-06] [SEC-A01-07]", async () => {
    await scene.begin();
    for (let times = 0; times < 2; times++) {
      expect(await scene.outcome(scene.credentials.changeAuthorizationKey(identity))).toBe("Accepted");
    }
    const [one = "", other] = scene.changes.map(({ value }) => value);
    expect(one).toMatch(/^[\da-f]{40}$/);
    expect(other).toMatch(/^[\da-f]{40}$/);
    expect(one).not.toBe(other);
    expect(await scene.accepted(oldKey, one, other)).toEqual([other]);
  });

  test("has the new key in the store before it is sent", async () => {
    const set = vi.fn(async (key: string, record: CredentialRecord) => void scene.records.set(key, record));
    scene.restart({ get: (key) => scene.records.get(key), set });
    await scene.begin();
    scene.answer = () => {
      expect(scene.records.get(identity)?.candidates).toEqual([{ authorizationKey: `sealed ${newKey}` }]);
      return { status: "Rejected" };
    };
    expect(await scene.change()).toBe("Rejected");
    expect(set).toHaveBeenCalledTimes(3);
  });

  test("sends nothing when the store fails", async () => {
    scene.restart({
      get: (key) => scene.records.get(key),
      set: async (key, record) => {
        if (scene.records.size > 0) throw new Error("disk full");
        scene.records.set(key, record);
      },
    });
    await scene.begin();
    expect(await scene.change()).toEqual(new Error("disk full"));
    expect(scene.changes).toEqual([]);
  });

  test("accepts the new key only, once the change was Accepted [J-178] [SEC-A01-03]", async () => {
    await scene.begin();
    expect(await scene.change()).toBe("Accepted");
    expect(await scene.accepted(oldKey, newKey)).toEqual([newKey]);
  });

  test.each(["Rejected", "NotSupported"])(
    "accepts the old key only, and leaves the connection, when it was %s [J-179] [SEC-A01-04]",
    async (status) => {
      await scene.begin();
      scene.answer = () => ({ status });
      expect(await scene.change()).toBe(status);
      expect(await scene.accepted(oldKey, newKey)).toEqual([oldKey]);
      expect(scene.centralSystem.get(identity)).toBeDefined();
    },
  );

  test("accepts both after RebootRequired, even when the old one is used again, until the new one is", async () => {
    await scene.begin();
    scene.answer = () => ({ status: "RebootRequired" });
    expect(await scene.change()).toBe("RebootRequired");
    await scene.connect(oldKey);
    expect(await scene.accepted(oldKey, newKey)).toEqual([oldKey, newKey]);
    await scene.connect(newKey);
    expect(await scene.accepted(oldKey, newKey)).toEqual([newKey]);
  });

  /** What leaves the outcome open. */
  const open = {
    "no answer in time": async () => {
      scene.answer = () => new Promise(() => {});
      const change = scene.credentials.changeAuthorizationKey(identity, { authorizationKey: newKey, timeoutMs: 5000 });
      expect(await scene.outcome(change, 5000)).toBeInstanceOf(CallTimeoutError);
    },
    "a connection that ends": async () => {
      scene.answer = () => {
        scene.link.chargePoint.drop();
        return { status: "Accepted" };
      };
      expect(await scene.change()).toBeInstanceOf(ConnectionClosedError);
    },
    "a CALLERROR": async () => {
      scene.answer = () => {
        throw new CallError("InternalError");
      };
      expect(await scene.change()).toBeInstanceOf(CallError);
    },
    "a crash before the answer": async () => {
      scene.answer = () => new Promise(() => {});
      void scene.credentials.changeAuthorizationKey(identity, { authorizationKey: newKey }).catch(() => {});
      await scene.clock.advance(0);
      scene.restart();
    },
  };

  describe.each(Object.entries(open))("after %s", (_, happen) => {
    beforeEach(async () => {
      await scene.begin();
      await happen();
    });

    test("accepts the old key and the new one, and no other", async () => {
      expect(await scene.accepted(oldKey, newKey, "11".repeat(20), undefined)).toEqual([oldKey, newKey]);
    });

    test.each([
      ["new", newKey],
      ["old", oldKey],
    ])("accepts only the %s key once the Charge Point has connected with it, also after a crash", async (_, key) => {
      expect(await scene.connect(key)).toBe(true);
      expect(await scene.accepted(oldKey, newKey)).toEqual([key]);
      scene.restart();
      expect(await scene.accepted(oldKey, newKey)).toEqual([key]);
    });

    test("accepts both as long as no handshake has ended in a connection", async () => {
      expect(await scene.admits(oldKey)).toBe(true);
      expect(await scene.admits(newKey)).toBe(true);
      expect(await scene.accepted(oldKey, newKey)).toEqual([oldKey, newKey]);
    });
  });

  test("takes the key back when it was not sent: the Charge Point is not accepted, or gone", async () => {
    scene.registrations.set(identity, "Rejected");
    await scene.begin();
    expect(await scene.change()).toBeInstanceOf(NotAcceptedError);
    expect(await scene.accepted(oldKey, newKey)).toEqual([oldKey]);

    scene.registrations.set(identity, "Accepted");
    await scene.connect(oldKey);
    const change = scene.credentials.changeAuthorizationKey(identity, { authorizationKey: newKey });
    scene.centralSystem.get(identity)?.close();
    expect(await scene.outcome(change)).toMatchObject({ name: "ConnectionClosedError", sent: false });
    expect(await scene.accepted(oldKey, newKey)).toEqual([oldKey]);
    expect(await scene.change()).toMatchObject({ name: "ConnectionClosedError", sent: false });
  });

  test("stores no key when the time-out is none", async () => {
    await scene.begin();
    const change = scene.credentials.changeAuthorizationKey(identity, { authorizationKey: newKey, timeoutMs: 0 });
    expect(await scene.outcome(change)).toBeInstanceOf(TypeError);
    expect(scene.records.get(identity)?.candidates).toBeUndefined();
  });

  test("takes the key back when it could not be sent, because too many CALLs wait", async () => {
    await scene.begin();
    for (let waiting = 0; waiting <= 1000; waiting++) {
      scene.centralSystem
        .get(identity)
        ?.call("ClearCache", {})
        .catch(() => {});
    }
    expect(await scene.change()).toBeInstanceOf(RangeError);
    expect(scene.changes).toEqual([]);
    expect(scene.records.get(identity)?.candidates).toEqual([]);
  });

  test("accepts both keys when the caller has lost interest in the answer, for whatever reason", async () => {
    await scene.begin();
    scene.answer = () => new Promise(() => {});
    const signal = {
      aborted: false,
      reason: new TypeError("enough"),
      abort: () => {},
      addEventListener: (_: "abort", listener: () => void) => {
        signal.abort = listener;
      },
      removeEventListener: () => {},
    };
    const change = scene.credentials.changeAuthorizationKey(identity, { authorizationKey: newKey, signal });
    await scene.clock.advance(0);
    signal.abort();
    expect(await scene.outcome(change)).toBe(signal.reason);
    expect(await scene.accepted(oldKey, newKey)).toEqual([oldKey, newKey]);
  });

  test("tells of a CALLERROR without its words, which may repeat the key [SEC-A01-09]", async () => {
    await scene.begin();
    scene.answer = () => {
      throw new CallError("InternalError", `"${newKey}" is no good`, { details: { text: `it was ${newKey}` } });
    };
    const error = await scene.change();
    expect(error).toMatchObject({ name: "CallError", code: "InternalError", action: "ChangeConfiguration" });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain(newKey);
  });

  test("keeps a key that was sent after the one that is Accepted, and forgets those before it", async () => {
    await scene.begin();
    const [first, second, third] = ["11", "22", "33"].map((digits) => digits.repeat(20)) as [string, string, string];
    scene.answer = () => {
      throw new CallError("InternalError");
    };
    await scene.change(first);
    const answers = ["Accepted", undefined];
    scene.answer = () => {
      const status = answers.shift();
      return status === undefined ? new Promise(() => {}) : { status };
    };
    void scene.credentials.changeAuthorizationKey(identity, { authorizationKey: second });
    void scene.credentials.changeAuthorizationKey(identity, { authorizationKey: third }).catch(() => {});
    await scene.clock.advance(0);
    expect(await scene.accepted(oldKey, first, second, third)).toEqual([second, third]);
  });

  test("forgets what is older than the key that was used, but not one that waits for a reboot", async () => {
    await scene.begin();
    const [first, second, third] = ["11", "22", "33"].map((digits) => digits.repeat(20)) as [string, string, string];
    const failing = () => {
      throw new CallError("InternalError");
    };
    for (const [key, answer] of [
      [first, failing],
      [second, () => ({ status: "RebootRequired" })],
      [third, failing],
    ] as const) {
      scene.answer = answer;
      await scene.change(key);
    }
    expect(await scene.accepted(oldKey, first, second, third)).toEqual([oldKey, first, second, third]);
    await scene.connect(first);
    expect(await scene.accepted(oldKey, first, second, third)).toEqual([first, second]);
  });

  test("does not gather undecided keys without end", async () => {
    await scene.begin();
    scene.answer = () => {
      throw new CallError("InternalError");
    };
    for (let times = 0; times < 8; times++) expect(await scene.change()).toBeInstanceOf(CallError);
    expect(await scene.change()).toBeInstanceOf(RangeError);
    expect(scene.changes).toHaveLength(8);
    await scene.connect(oldKey);
    expect(await scene.change()).toBeInstanceOf(CallError);
  });

  test("refuses a handshake with the old key that began before the change and ends after it [J-178]", async () => {
    await scene.begin();
    let proceed = (): void => {};
    const slow: PasswordHash = {
      seal: openHash.seal,
      verify: (password, sealed) =>
        new Promise((resolve) => (proceed = () => resolve(openHash.verify(password, sealed)))),
    };
    const { centralSystem, records } = scene;
    const slowly = new KnownCredentials({ centralSystem, store: records, passwordHash: slow });
    const decision = slowly.authenticate({ identity, password: bytes(oldKey), securityProfile: 0 });
    await scene.clock.advance(0);
    await scene.change();
    proceed();
    expect(await decision).toBe(false);
  });

  test("closes a connection whose handshake was let in with the old key before the change [J-178]", async () => {
    await scene.begin();
    expect(await scene.admits(oldKey)).toBe(true);
    await scene.change();
    scene.open();
    await scene.clock.advance(0);
    expect(scene.centralSystem.get(identity)).toBeUndefined();
    expect(await scene.connect(newKey)).toBe(true);
    expect(scene.centralSystem.get(identity)).toBeDefined();
  });

  test.each([
    ["15 bytes", new Uint8Array(15)],
    ["21 bytes", new Uint8Array(21)],
    ["text", "secret"],
  ])("sends no key of %s [SEC-A00-205]", async (_, authorizationKey) => {
    await scene.begin();
    expect(await scene.change(authorizationKey)).toBeInstanceOf(TypeError);
    expect(scene.changes).toEqual([]);
  });

  test("does not change the key of a Charge Point that was never enrolled", async () => {
    scene.open();
    expect(await scene.change()).toBeInstanceOf(TypeError);
    expect(scene.changes).toEqual([]);
    expect(await scene.admits(undefined)).toBe("unknown-identity");
  });

  test("reports a store that fails when a Charge Point has connected, and goes on", async () => {
    await scene.begin();
    await open["a CALLERROR"]();
    const error = new Error("disk full");
    scene.restart({ get: (key) => scene.records.get(key), set: () => Promise.reject(error) });
    scene.centralSystem.on("fault", () => {
      throw new Error("a listener");
    });
    expect(await scene.connect(newKey)).toBe(true);
    expect(scene.faults).toEqual([error]);
    expect(await scene.accepted(oldKey, newKey)).toEqual([oldKey, newKey]);
  });

  test("writes nothing when a Charge Point connects as it always does", async () => {
    await scene.begin({ authorizationKey: oldKey, securityProfile: 1 });
    const set = vi.fn();
    scene.restart({ get: (key) => scene.records.get(key), set });
    expect(await scene.connect(oldKey, 1)).toBe(true);
    expect(set).not.toHaveBeenCalled();
  });
});

describe("KnownCredentials.raiseSecurityProfile", () => {
  beforeEach(() => scene.begin({ authorizationKey: oldKey, securityProfile: 1 }));

  /** Which profiles are allowed now. */
  const allowed = async (): Promise<number[]> => {
    const decisions = await Promise.all(([0, 1, 2, 3] as const).map((profile) => scene.admits(oldKey, profile)));
    return [0, 1, 2, 3].filter((profile) => decisions[profile] === true);
  };

  test("allows the old profile, to which it may fall back, until the new one has been used, and never again [SEC-A05-08] [SEC-A05-09]", async () => {
    expect(await scene.raise(2)).toBe("Accepted");
    expect(scene.changes).toEqual([{ key: "SecurityProfile", value: "2" }]);
    expect(await allowed()).toEqual([1, 2]);
    await scene.connect(oldKey, 1);
    expect(await allowed()).toEqual([1, 2]);
    await scene.connect(oldKey, 2);
    expect(await allowed()).toEqual([2]);
    scene.restart();
    expect(await allowed()).toEqual([2]);
  });

  test.each(["Rejected", "NotSupported"])("allows the old profile only, when it was %s", async (status) => {
    scene.answer = () => ({ status });
    expect(await scene.raise(2)).toBe(status);
    expect(await allowed()).toEqual([1]);
  });

  test("allows both when nobody knows, or after a crash [SEC-A05-08]", async () => {
    scene.answer = () => {
      throw new CallError("InternalError");
    };
    expect(await scene.raise(2)).toBeInstanceOf(CallError);
    expect(await allowed()).toEqual([1, 2]);
    scene.restart();
    expect(await allowed()).toEqual([1, 2]);
  });

  test.each([0, 4, 1.5, "2", Number.NaN])("knows no profile %j to raise it to", async (profile) => {
    await expect(scene.credentials.raiseSecurityProfile(identity, profile as never)).rejects.toThrow(
      new TypeError(
        `profile is ${JSON.stringify(profile) === "null" ? "NaN" : JSON.stringify(profile)}. Give 1 or 2 or 3.`,
      ),
    );
  });

  test("does not take a second refusal for the answer to the first CALL [SEC-A05-01]", async () => {
    scene.answer = () => {
      throw new CallError("InternalError");
    };
    await scene.raise(2);
    scene.answer = () => ({ status: "Rejected" });
    expect(await scene.raise(2)).toBe("Rejected");
    expect(await allowed()).toEqual([1, 2]);
    expect(await scene.raise(3)).toBe("Rejected");
    expect(await allowed()).toEqual([1, 2]);
  });

  test("allows a profile that was refused and accepted, when it was asked for twice at once", async () => {
    const answers = ["Rejected", "Accepted"];
    scene.answer = () => ({ status: answers.shift() });
    const raises = [1, 2].map(() => scene.credentials.raiseSecurityProfile(identity, 2));
    expect(await scene.outcome(Promise.all(raises))).toEqual(["Rejected", "Accepted"]);
    expect(await allowed()).toEqual([1, 2]);
  });

  test("allows no lower profile than the one that was enrolled while the answer was awaited [SEC-A05-09]", async () => {
    scene.answer = async () => {
      await scene.credentials.enroll(identity, { authorizationKey: oldKey, securityProfile: 3 });
      return { status: "Accepted" };
    };
    expect(await scene.raise(2)).toBe("Accepted");
    expect(await allowed()).toEqual([3]);
  });

  test("forgets lower profiles when a higher one is used, and keeps higher ones [SEC-A05-09]", async () => {
    for (const profile of [2, 3] as const) await scene.raise(profile);
    expect(await allowed()).toEqual([1, 2, 3]);
    await scene.connect(oldKey, 2);
    expect(await allowed()).toEqual([2, 3]);
    await scene.connect(undefined, 3);
    expect(await allowed()).toEqual([3]);
  });

  test("takes it back when it was not sent", async () => {
    const raise = scene.credentials.raiseSecurityProfile(identity, 2);
    scene.centralSystem.get(identity)?.close();
    expect(await scene.outcome(raise)).toMatchObject({ name: "ConnectionClosedError", sent: false });
    expect(await allowed()).toEqual([1]);
  });

  test("never lowers a profile, nor sets the same [SEC-A00-005] [SEC-A05-10]", async () => {
    await scene.credentials.enroll(identity, { authorizationKey: oldKey, securityProfile: 2 });
    for (const profile of [1, 2] as const) expect(await scene.raise(profile)).toBeInstanceOf(RangeError);
    expect(scene.changes).toEqual([]);
    expect(await allowed()).toEqual([2]);
  });

  test("leaves open what is open about a key, when a certificate is used", async () => {
    await scene.raise(3);
    scene.answer = () => {
      throw new CallError("InternalError");
    };
    await scene.change();
    await scene.connect(undefined, 3);
    expect(scene.records.get(identity)).toMatchObject({
      authorizationKey: `sealed ${oldKey}`,
      candidates: [{ authorizationKey: `sealed ${newKey}` }],
      securityProfile: 3,
    });
  });
});

describe("KnownCredentials with a record that is damaged", () => {
  const record: CredentialRecord = {
    authorizationKey: "sealed",
    candidates: [{ authorizationKey: "sealed too" }, { authorizationKey: "sealed as well", rebootRequired: true }],
    securityProfile: 1,
    raisingTo: [2, 3],
  };
  const damaged = damages(JSON.stringify(record)).flatMap((text) => {
    try {
      return [JSON.parse(text) as unknown];
    } catch {
      return [];
    }
  });
  /** That of a Charge Point which was enrolled without a password cannot be told from one that lost its key. */
  const hasNoKey = (kept: unknown) =>
    typeof kept === "object" && kept !== null && !Array.isArray(kept) && !("authorizationKey" in kept);

  test("lets nobody in without a password who was not enrolled without one [SEC-A00-207]", async () => {
    let decided = 0;
    for (const kept of [...damaged, JSON.stringify(record), [record], 7n, () => record]) {
      if (hasNoKey(kept)) continue;
      scene.records.set(identity, kept as never);
      for (const profile of [0, 1, 2, 3] as const) {
        const decision = await scene.admits(undefined, profile).catch((error: unknown) => error);
        if (decision instanceof Error) expect(decision.message).toContain(`"${identity}" is no CredentialRecord`);
        else if (kept === null) expect(decision).toBe("unknown-identity");
        else if (profile !== 3) expect(decision).toBe(false);
        if (typeof decision === "boolean") decided++;
      }
    }
    // Some damage cannot be seen.
    expect(decided).toBeGreaterThan(0);
  });

  test("changes nothing of it [SEC-A01-07]", async () => {
    await scene.begin();
    scene.records.set(identity, [] as never);
    expect(await scene.change()).toMatchObject({ name: "TypeError" });
    expect(await scene.raise(2)).toMatchObject({ name: "TypeError" });
    expect(scene.records.get(identity)).toEqual([]);
    expect(scene.changes).toEqual([]);
  });

  test("can be enrolled anew", async () => {
    scene.records.set(identity, "nonsense" as never);
    await scene.begin();
    expect(await scene.accepted(oldKey, newKey, undefined)).toEqual([oldKey]);
  });
});
