import { type CentralSystemEvents, defineQuirks, quirks } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { basic, offer, open, openEndpoint, statusOf } from "../open-endpoint.ts";
import { clientFrame, handshake } from "../raw-socket.ts";

const key = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF";
const keyBytes = Buffer.from(key, "hex");
const heartbeat = '[2,"1","Heartbeat",{}]';

/** An endpoint at `/ocpp` and what it says it tolerated. */
async function tolerant(...options: Parameters<typeof openEndpoint>) {
  const endpoint = await openEndpoint(...options);
  const tolerated: CentralSystemEvents["tolerated"][0][] = [];
  const order: string[] = [];
  endpoint.central.on("tolerated", (event) => {
    tolerated.push(event);
    order.push("tolerated");
  });
  endpoint.central.on("connected", () => order.push("connected"));
  const shakeAt = async (path: string, ...headers: readonly string[]) => {
    const peer = await open(endpoint.listener.port);
    peer.request(...handshake(path, ...headers));
    return peer;
  };
  return { ...endpoint, tolerated, order, shakeAt };
}

const failure = new Error("bad row");

describe("A handshake without Sec-WebSocket-Protocol", () => {
  test("is closed with 1002 by default [Q18]", async () => {
    const { shakeAt, refused, tolerated } = await tolerant();
    const peer = await shakeAt("/ocpp/CP001");
    expect(await statusOf(peer)).toBe(101);
    const { opcode, payload } = await peer.frame();
    expect([opcode, payload.readUInt16BE()]).toEqual([8, 1002]);
    expect(refused).toMatchObject([{ reason: "subprotocol" }]);
    expect(tolerated).toEqual([]);
  });

  test("opens a connection that works, and is reported before it, when it is tolerated [Q18]", async () => {
    const { shakeAt, refused, tolerated, order } = await tolerant({ tolerate: [quirks.missingSubprotocol] });
    const peer = await shakeAt("/ocpp/CP001");
    expect(await peer.head()).not.toMatch(/sec-websocket-protocol/i);
    peer.write(clientFrame(1, heartbeat));
    expect((await peer.frame()).payload.toString()).toBe('[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]');
    expect(refused).toEqual([]);
    expect(order).toEqual(["tolerated", "connected"]);
    expect(tolerated).toEqual([
      {
        identity: "CP001",
        quirk: "missingSubprotocol",
        id: "Q18",
        path: "",
        message: `The opening handshake has ${quirks.missingSubprotocol.forgives}.`,
      },
    ]);
  });

  test("is not the same as one that offers only other subprotocols: that is never tolerated [Q18] [trap 14]", async () => {
    const { shakeAt, refused, tolerated } = await tolerant({ tolerate: [quirks.missingSubprotocol] });
    const peer = await shakeAt("/ocpp/CP001", "Sec-WebSocket-Protocol: ocpp2.0.1");
    expect(await statusOf(peer)).toBe(101);
    expect((await peer.frame()).payload.readUInt16BE()).toBe(1002);
    expect(refused).toMatchObject([{ reason: "subprotocol" }]);
    expect(tolerated).toEqual([]);
  });

  test("that offers the right one among others needs no quirk", async () => {
    const { shakeAt, tolerated, connected } = await tolerant({ tolerate: Object.values(quirks) });
    const peer = await shakeAt("/ocpp/CP001", "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6");
    expect(await statusOf(peer)).toBe(101);
    expect(connected).toEqual(["CP001"]);
    expect(tolerated).toEqual([]);
  });
});

describe("A subprotocol in another spelling", () => {
  test.each([["OCPP1.6"], ["ocpp1.6J"], ["Ocpp1.6j"]])("%s is closed with 1002 by default [Q18]", async (offered) => {
    const { shakeAt, refused } = await tolerant();
    const peer = await shakeAt("/ocpp/CP001", `Sec-WebSocket-Protocol: ${offered}`);
    expect(await statusOf(peer)).toBe(101);
    expect((await peer.frame()).payload.readUInt16BE()).toBe(1002);
    expect(refused).toMatchObject([{ reason: "subprotocol" }]);
  });

  test.each([["OCPP1.6"], ["ocpp1.6J"], ["ocpp2.0.1, Ocpp1.6j"]])(
    "%s is echoed exactly as it was offered when it is tolerated [Q18]",
    async (offered) => {
      const { shakeAt, refused, tolerated, connected } = await tolerant({ tolerate: quirks });
      const peer = await shakeAt("/ocpp/CP001", `Sec-WebSocket-Protocol: ${offered}`);
      const meant = offered.split(", ").at(-1) ?? "";
      expect(await peer.head()).toMatch(new RegExp(`^Sec-WebSocket-Protocol: ${meant}$`, "m"));
      peer.write(clientFrame(1, heartbeat));
      expect((await peer.frame()).payload.toString()).toMatch(/^\[3,"1",/);
      expect([connected, refused]).toEqual([["CP001"], []]);
      expect(tolerated).toMatchObject([{ identity: "CP001", quirk: "misspeltSubprotocols", received: meant }]);
    },
  );

  test("gives way to the right one, and is none of another version [Q18] [trap 14]", async () => {
    const { shakeAt, tolerated, refused } = await tolerant({ tolerate: [quirks.misspeltSubprotocols] });
    const peer = await shakeAt("/ocpp/CP001", "Sec-WebSocket-Protocol: OCPP1.6, ocpp1.6");
    expect(await peer.head()).toMatch(/^Sec-WebSocket-Protocol: ocpp1\.6$/m);
    for (const other of ["ocpp1.5", "ocpp1.61", "ocpp16", "xocpp1.6", "ocpp1.6JJ"]) {
      const peer = await shakeAt("/ocpp/CP002", `Sec-WebSocket-Protocol: ${other}`);
      expect(await statusOf(peer)).toBe(101);
      expect((await peer.frame()).payload.readUInt16BE()).toBe(1002);
    }
    expect(tolerated).toEqual([]);
    expect(refused).toHaveLength(5);
  });

  test.each<[string, () => never, unknown[]]>([
    ["throws", () => fail(), [failure]],
    ["rejects", (async () => fail()) as () => never, [expect.any(TypeError), failure]],
  ])("is refused, and the failure told, when the row of an owner %s", async (_, fails, told) => {
    const { bad } = defineQuirks({
      bad: {
        id: "O1",
        evidence: [],
        forgives: "nothing",
        repairs: "nothing",
        scope: "handshake",
        means: fails,
        path: fails,
      },
    });
    const { shakeAt, refused, faults } = await tolerant({ tolerate: [bad] });
    const peer = await shakeAt("/ocpp/CP001", "Sec-WebSocket-Protocol: OCPP1.6");
    expect(await statusOf(peer)).toBe(101);
    expect((await peer.frame()).payload.readUInt16BE()).toBe(1002);
    expect(await statusOf(await shakeAt("/elsewhere/CP001", offer))).toBe(404);
    expect(refused.map(({ reason }) => reason)).toEqual(["subprotocol", "path"]);
    expect(faults.map(({ error }) => error)).toEqual([...told, ...told]);
  });
});

function fail(): never {
  throw failure;
}

test("A path that is refused is told together with the one that is served", async () => {
  const { shakeAt, refused } = await tolerant();
  await statusOf(await shakeAt("/ocp/CP001", offer));
  expect(refused).toMatchObject([
    { message: 'The path "/ocp/CP001" is not "/ocpp/", which is served here, with one identity added.' },
  ]);
});

describe("Slashes in the path", () => {
  test.each([["//ocpp//CP001"], ["/ocpp/CP001/"], ["/ocpp//CP001//?token=1"]])(
    "%s is refused with 404 by default [Q19]",
    async (path) => {
      const { shakeAt, refused, connected } = await tolerant();
      expect(await statusOf(await shakeAt(path, offer))).toBe(404);
      expect(refused).toMatchObject([{ reason: "path" }]);
      expect(connected).toEqual([]);
    },
  );

  test.each([["//ocpp//CP001"], ["/ocpp/CP001/"], ["/ocpp//CP001//?token=1"]])(
    "%s is the path of CP001 when they are tolerated, and told without the query, which may have a secret [Q19]",
    async (path) => {
      const { shakeAt, tolerated, connected } = await tolerant({ tolerate: [quirks.slashesInPath] });
      expect(await statusOf(await shakeAt(path, offer))).toBe(101);
      expect(connected).toEqual(["CP001"]);
      const received = path.replace("?token=1", "");
      expect(tolerated).toMatchObject([{ identity: "CP001", quirk: "slashesInPath", id: "Q19", received }]);
    },
  );

  test("do not make one of two segments, nor a path of what is not percent-encoded [Q19] [trap 1]", async () => {
    const { shakeAt, connected, tolerated } = await tolerant({ tolerate: [quirks.slashesInPath] });
    expect(await statusOf(await shakeAt("/ocpp/more//CP001", offer))).toBe(404);
    expect(await statusOf(await shakeAt("/ocpp//", offer))).toBe(404);
    expect(await statusOf(await shakeAt("/ocpp//%E0%A4%A", offer))).toBe(400);
    expect(connected).toEqual([]);
    expect(tolerated).toEqual([]);
  });

  test("that are percent-encoded belong to the identity [Q19] [J-008]", async () => {
    const { shakeAt, connected, tolerated } = await tolerant({ tolerate: [quirks.slashesInPath] });
    expect(await statusOf(await shakeAt("/ocpp/CP%2F%2F1", offer))).toBe(101);
    expect(connected).toEqual(["CP//1"]);
    expect(tolerated).toEqual([]);
  });
});

describe("An AuthorizationKey in hexadecimal digits", () => {
  const authenticate: Authenticate = ({ password }) => password !== undefined && keyBytes.equals(password);

  test("is refused with 401 by default [Q23] [J-176]", async () => {
    const { shakeAt, refused } = await tolerant({ authenticate });
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic(`CP001:${key}`)))).toBe(401);
    expect(refused).toMatchObject([{ reason: "unauthorized" }]);
  });

  test.each([[key], [key.toLowerCase()]])(
    "is checked as bytes when it is tolerated, and told without the key: %s [Q23]",
    async (digits) => {
      const asked: string[] = [];
      const { shakeAt, tolerated, connected } = await tolerant({
        tolerate: [quirks.hexadecimalKeys],
        authenticate: (attempt) => {
          asked.push(Buffer.from(attempt.password ?? []).toString("latin1"));
          return authenticate(attempt);
        },
      });
      expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic(`CP001:${digits}`)))).toBe(101);
      expect(connected).toEqual(["CP001"]);
      expect(asked).toEqual([digits, keyBytes.toString("latin1")]);
      expect(tolerated).toEqual([
        {
          identity: "CP001",
          quirk: "hexadecimalKeys",
          id: "Q23",
          path: "",
          message: `The opening handshake has ${quirks.hexadecimalKeys.forgives}.`,
        },
      ]);
      expect(JSON.stringify(tolerated)).not.toContain(digits);
    },
  );

  test("works with security profile 1, too [Q23] [SEC-A00-207]", async () => {
    const { shakeAt, connected } = await tolerant({
      securityProfile: 1,
      tolerate: [quirks.hexadecimalKeys],
      authenticate,
    });
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic(`CP001:${key}`)))).toBe(101);
    expect(connected).toEqual(["CP001"]);
  });

  test("is found by an application that wipes each password that it has looked at, too [Q23]", async () => {
    const { shakeAt } = await tolerant({
      tolerate: [quirks.hexadecimalKeys],
      authenticate: (attempt) => {
        const isRight = authenticate(attempt);
        attempt.password?.fill(0);
        return isRight;
      },
    });
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic(`CP001:${key}`)))).toBe(101);
  });

  test("that is wrong is refused, and nothing was tolerated [Q23]", async () => {
    let asked = 0;
    const { shakeAt, refused, tolerated } = await tolerant({
      tolerate: Object.values(quirks),
      authenticate: (attempt) => {
        asked++;
        return authenticate(attempt);
      },
    });
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic(`CP001:${"ab".repeat(20)}`)))).toBe(401);
    expect(asked).toBe(2);
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic("CP001:opensesame")))).toBe(401);
    expect(asked).toBe(3);
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer))).toBe(401);
    expect(asked).toBe(4);
    expect(refused).toHaveLength(3);
    expect(tolerated).toEqual([]);
  });

  test("is not asked about again when the digits themselves are the password", async () => {
    let asked = 0;
    const { shakeAt, tolerated } = await tolerant({
      tolerate: [quirks.hexadecimalKeys],
      authenticate: ({ password }) => {
        asked++;
        return password !== undefined && Buffer.from(key).equals(password);
      },
    });
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic(`CP001:${key}`)))).toBe(101);
    expect(asked).toBe(1);
    expect(tolerated).toEqual([]);
  });

  test("leaves an application that fails at the second question with 500 and a fault [trap 2]", async () => {
    const { shakeAt, faults, tolerated } = await tolerant({
      tolerate: [quirks.hexadecimalKeys],
      authenticate: ({ password }) => {
        if (password?.length === 20) throw new Error("the database is gone");
        return false;
      },
    });
    expect(await statusOf(await shakeAt("/ocpp/CP001", offer, basic(`CP001:${key}`)))).toBe(500);
    expect(faults).toMatchObject([{ identity: "CP001", error: { message: "the database is gone" } }]);
    expect(tolerated).toEqual([]);
  });
});

describe("Quirks of handshakes", () => {
  test("work together, each told once", async () => {
    const { shakeAt, tolerated, connected } = await tolerant({
      tolerate: Object.values(quirks),
      authenticate: ({ password }) => password !== undefined && keyBytes.equals(password),
    });
    expect(await statusOf(await shakeAt("/ocpp//CP001/", basic(`CP001:${key}`)))).toBe(101);
    expect(connected).toEqual(["CP001"]);
    expect(tolerated.map(({ quirk }) => quirk)).toEqual(["slashesInPath", "hexadecimalKeys", "missingSubprotocol"]);
  });

  test("are taken from the options of listen, not from those of the CentralSystem", async () => {
    const { shakeAt, refused } = await tolerant({}, { tolerate: Object.values(quirks) });
    expect(await statusOf(await shakeAt("/ocpp/CP001/", offer))).toBe(404);
    expect(refused).toHaveLength(1);
  });

  test("let a charger in although a listener of `tolerated` throws", async () => {
    const { central, shakeAt, faults, connected } = await tolerant({ tolerate: [quirks.slashesInPath] });
    central.on("tolerated", () => {
      throw new Error("bad listener");
    });
    expect(await statusOf(await shakeAt("/ocpp/CP001/", offer))).toBe(101);
    expect(connected).toEqual(["CP001"]);
    expect(faults).toMatchObject([{ identity: "CP001", error: { message: "bad listener" } }]);
  });
});
