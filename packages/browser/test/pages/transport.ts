import { type ConnectOptions, connect } from "@ocppj/browser";
import type { Transport } from "@ocppj/core";
import { type TransportContractOptions, type TransportPeer, transportContract } from "@ocppj/testing";
import type { FarEndCommand } from "../far-end.ts";

/** The far end of a link, by remote control. */
type Peer = Required<TransportPeer> & {
  sendFragments(parts: readonly string[]): Promise<void>;
  sendOften(text: string, times: number): Promise<void>;
  resume(): Promise<void>;
};

/** What a transport has said so far. */
interface Heard {
  readonly messages: string[];
  readonly closes: { readonly code: number; readonly reason: string }[];
  /** Resolves with the first close. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

declare global {
  /** Provided by the test: where the far ends are. */
  function farEndUrl(): Promise<string>;
  /** Provided by the test: does something to a far end. */
  function commandFarEnd(identity: string, name: FarEndCommand, args: readonly unknown[]): Promise<unknown>;
  /** Opens a transport of this page and a far end of the test. */
  function openLink(options?: ConnectOptions): Promise<{ readonly transport: Transport; readonly peer: Peer }>;
  /** Listens to a transport; `hook` is called at every message. */
  function listenTo(transport: Transport, hook?: () => void): Heard;
  /** Runs one rule of the transport contract. */
  function obey(title: string, options: TransportContractOptions): Promise<void>;
}

let links = 0;

globalThis.openLink = async (options) => {
  links += 1;
  const identity = `link ${links}`;
  const command = <Name extends keyof Peer>(name: Name) =>
    ((...args: unknown[]) => commandFarEnd(identity, name, args)) as Peer[Name];
  return {
    transport: await connect(options)({ url: await farEndUrl(), identity }),
    peer: {
      send: command("send"),
      sendBinary: command("sendBinary"),
      sendFragments: command("sendFragments"),
      sendOften: command("sendOften"),
      receive: command("receive"),
      close: command("close"),
      closed: command("closed"),
      vanish: command("vanish"),
      stall: command("stall"),
      resume: command("resume"),
    },
  };
};

globalThis.listenTo = (transport, hook = () => {}) => {
  const messages: string[] = [];
  const closes: { code: number; reason: string }[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    transport.listen({
      message(text) {
        messages.push(text);
        hook();
      },
      close(code, reason) {
        closes.push({ code, reason });
        resolve({ code, reason });
      },
    });
  });
  return { messages, closes, closed };
};

globalThis.obey = async (title, options) => {
  const open = () => openLink({ closeTimeoutMs: 1000 });
  const rule = transportContract(open, options).find((candidate) => candidate.title === title);
  if (rule === undefined) throw new Error(`The contract has no rule "${title}".`);
  await rule.run();
};
