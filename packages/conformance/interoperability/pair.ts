import {
  type Action,
  actions,
  CentralSystem,
  type CentralSystemOptions,
  Connection,
  type ConnectionOptions,
  type Role,
} from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import type { RPCClient } from "ocpp-rpc";
import { expect } from "vitest";
import { next } from "./moments.ts";
import { complaintsOf, type TheirChargePointOptions, theirCentralSystem, theirChargePoint } from "./ocpp-rpc.ts";

/** Answers any CALL. */
type Answer = (action: string, req: unknown) => unknown;

/** One end of a connection, whoever wrote it. */
interface End {
  call(action: string, req: unknown): Promise<unknown>;
  /** Changes what CALLs are answered with; at first, nothing may be called. */
  answerWith(answer: Answer): void;
}

/** A Charge Point and a Central System that are connected, one of ocppj and one of ocpp-rpc. */
export interface Pair {
  readonly ChargePoint: End;
  readonly CentralSystem: End;
  /** The end of ocppj. */
  readonly ours: Connection<Role>;
  /** The end of ocpp-rpc. */
  readonly theirs: RPCClient;
  /** What either has to say against the other. A test that expects some takes it out. */
  readonly complaints: string[];
}

/** Settings of a pair. */
interface PairOptions {
  /** An action for which the end of ocppj has no handler. */
  readonly unsupported?: Action;
  readonly ours?: CentralSystemOptions & Partial<ConnectionOptions<Role>>;
  readonly theirs?: TheirChargePointOptions;
}

/** Opens a pair whose Charge Point has been accepted, lets a test use it, and closes it; nobody may have complained. */
export type Pairing = (test: (pair: Pair) => Promise<unknown>, options?: PairOptions) => Promise<void>;

/** A Charge Point of ocpp-rpc at a Central System of ocppj. */
const withTheirChargePoint: Pairing = async (test, options = {}) => {
  const complaints: string[] = [];
  const centralSystem = new CentralSystem(options.ours);
  const answering = new Answering();
  for (const action of actionsFrom("ChargePoint").filter((action) => action !== options.unsupported)) {
    centralSystem.handle(action as "Heartbeat", (req) => answering.answer(action, req) as never);
  }
  complaintsOfOurs(centralSystem, complaints);
  const listener = await listen(centralSystem, { path: "/ocpp" });
  const theirs = theirChargePoint(listener.url, options.theirs);
  complaintsOf(theirs, complaints);
  try {
    await theirs.connect();
    const ours = centralSystem.get("CP001") as Connection<Role>;
    await use(test, {
      ChargePoint: endOfTheirs(theirs),
      CentralSystem: endOfOurs(ours, answering),
      ours,
      theirs,
      complaints,
    });
  } finally {
    await theirs.close({});
    await listener.close();
  }
};

/** A Charge Point of ocppj, without the class of that name, at a Central System of ocpp-rpc. */
const withOurChargePoint: Pairing = async (test, options = {}) => {
  const complaints: string[] = [];
  const central = await theirCentralSystem({ ...options.theirs } as object);
  const client = central.client();
  const transport = await connect()({ url: central.url, identity: "CP001" });
  const ours = new Connection<Role>(transport, { ...options.ours, role: "ChargePoint", identity: "CP001" });
  const answering = new Answering();
  for (const action of actionsFrom("CentralSystem").filter((action) => action !== options.unsupported)) {
    ours.handle(action, (req) => answering.answer(action, req) as never);
  }
  complaintsOfOurs(ours, complaints);
  const theirs = await client;
  complaintsOf(theirs, complaints);
  try {
    await use(test, {
      ChargePoint: endOfOurs(ours, answering),
      CentralSystem: endOfTheirs(theirs),
      ours,
      theirs,
      complaints,
    });
  } finally {
    ours.close();
    await central.close();
  }
};

/** Both ways to put the two together. */
export const pairings: readonly (readonly [name: string, pairing: Pairing])[] = [
  ["ocpp-rpc as Charge Point, ocppj as Central System", withTheirChargePoint],
  ["ocppj as Charge Point, ocpp-rpc as Central System", withOurChargePoint],
];

/** The actions that a role may send. */
export const actionsFrom = (role: Role): readonly Action[] =>
  (Object.keys(actions) as Action[]).filter((action) => (actions[action].from as readonly Role[]).includes(role));

/** The other role. */
export const peerOf = (role: Role): Role => (role === "ChargePoint" ? "CentralSystem" : "ChargePoint");

/** Lets one role call and the other answer; resolves with what arrived of both payloads. */
export async function exchange(
  pair: Pair,
  from: Role,
  action: Action,
  { req, conf }: { readonly req: unknown; readonly conf: unknown },
): Promise<{ readonly action: string; readonly req: unknown; readonly conf: unknown }> {
  let arrived: { action: string; req: unknown } | undefined;
  pair[peerOf(from)].answerWith((action, req) => {
    arrived = { action, req };
    return conf;
  });
  const answer = await pair[from].call(action, req);
  return { action: "", req: undefined, ...arrived, conf: answer };
}

const accepted = { status: "Accepted", currentTime: "2026-01-01T00:00:00Z", interval: 300 } as const;

/** Registers the Charge Point. */
async function boot(pair: Pair): Promise<void> {
  pair.CentralSystem.answerWith(() => accepted);
  await pair.ChargePoint.call("BootNotification", { chargePointVendor: "VendorX", chargePointModel: "ModelY" });
}

async function use(test: (pair: Pair) => Promise<unknown>, pair: Pair): Promise<void> {
  await boot(pair);
  for (const end of [pair.ChargePoint, pair.CentralSystem]) end.answerWith(nothingExpected);
  await test(pair);
  expect(pair.complaints).toEqual([]);
}

const nothingExpected: Answer = (action) => {
  throw new Error(`${action} was not to be called.`);
};

/** What CALLs are answered with. */
class Answering {
  answer: Answer = nothingExpected;
}

function endOfOurs(connection: Connection<Role>, answering: Answering): End {
  return {
    call: (action, req) => connection.call(action as Action, req as never),
    answerWith(answer) {
      answering.answer = answer;
    },
  };
}

function endOfTheirs(client: RPCClient): End {
  return {
    call: (action, req) => client.call(action, req),
    answerWith: (answer) => client.handle(async ({ method = "", params }) => answer(method, params) as never),
  };
}

function complaintsOfOurs(emitter: CentralSystem | Connection<Role>, complaints: string[]): void {
  const ours = emitter as Connection<Role>;
  ours.on("violation", ({ reason, message }) => complaints.push(`ocppj: ${reason}: ${message}`));
  ours.on("fault", ({ error }) => complaints.push(`ocppj: fault: ${error}`));
}

/** Resolves with the WebSocket's end as an end of ocpp-rpc saw it. */
export async function closeSeenBy(client: RPCClient): Promise<{ readonly code: number; readonly reason: string }> {
  const { code, reason } = await next<{ code: number; reason: string }>(client, "disconnect");
  return { code, reason };
}
