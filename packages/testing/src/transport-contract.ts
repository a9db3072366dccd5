import { type Clock, systemClock, type Transport, type TransportListener } from "@ocppj/core";
import { same, shown } from "./same.ts";

/**
 * The far end of a transport under test, by remote control.
 *
 * Every argument and result can be serialised, so the far end may be in another process than the transport: a Node
 * program that serves a page in a browser, for example.
 */
export interface TransportPeer {
  /** Sends one text message; resolves once it is handed to the network. */
  send(text: string): Promise<void>;
  /**
   * Resolves with the next text message that was not taken yet, in the order of arrival since the link was opened; with
   * `undefined` when this end has closed and none is left.
   */
  receive(): Promise<string | undefined>;
  /** Starts the closing handshake. */
  close(code: number, reason: string): Promise<void>;
  /** Resolves once this end has closed, be it long ago, with the code and reason that it was given. */
  closed(): Promise<{ readonly code: number; readonly reason: string }>;
  /** Ends the connection without a close frame. */
  vanish(): Promise<void>;
  /** Keeps the connection, but reads and answers nothing any more, not even a close frame. */
  stall(): Promise<void>;
  /** Sends one binary message. Needed only with {@link TransportContractOptions.binaryCloseCode}. */
  sendBinary?(bytes: readonly number[]): Promise<void>;
}

/** A transport under test, and its far end. */
export interface OpenedTransport {
  readonly transport: Transport;
  readonly peer: TransportPeer;
}

/** What depends on the transport under test. */
export interface TransportContractOptions {
  /** The close code with which the transport refuses a binary message. Default: that rule is left out. */
  readonly binaryCloseCode?: number | undefined;
  /**
   * How long to wait for any one thing before the rule counts as broken, in milliseconds. It must be longer than the
   * transport waits for a peer that does not answer its close, by default 5000 in those of `@ocppj`. Default 8000.
   */
  readonly patienceMs?: number | undefined;
  /** The clock of that patience. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

/** One rule of the contract, as a test. */
export interface TransportContractCase {
  /** The rule, as a sentence in the present tense. */
  readonly title: string;
  /** Rejects with an Error that says what is wrong when the transport breaks the rule. */
  run(): Promise<void>;
}

/**
 * The rules that every {@link Transport} must keep, as tests for any test runner.
 *
 * ```ts
 * for (const { title, run } of transportContract(open)) test(title, run);
 * ```
 *
 * Nothing sleeps: a rule waits for events, and only a broken one for the end of its patience. Each transport that a
 * rule opened has been told to close when the rule ends; what else `open` made is for its author to clean up.
 *
 * @param open - Opens a link that is used nowhere else. A rule may need more than one.
 */
export function transportContract(
  open: () => Promise<OpenedTransport>,
  options: TransportContractOptions = {},
): readonly TransportContractCase[] {
  const { binaryCloseCode } = options;
  const all =
    binaryCloseCode === undefined
      ? rules
      : {
          ...rules,
          [`refuses a binary message with close code ${binaryCloseCode} [J-047]`]: refusesBinary(binaryCloseCode),
        };
  return Object.entries(all).map(([title, rule]) => ({
    title,
    async run() {
      const stage = new Stage(open, options);
      try {
        await rule(stage);
      } finally {
        stage.clear();
      }
    },
  }));
}

type Rule = (stage: Stage) => Promise<void>;

const numbered = Array.from({ length: 20 }, (_, index) => `[2,"${index}","Heartbeat",{}]`);
const unusual = ["", "🔌 ünïcödé 𝔘", '\u0000\t\r\n"\\\u2028', "x".repeat(100_000), "🔋".repeat(25_000)];
const texts = [...numbered, ...unusual, ...numbered];

const rules: Readonly<Record<string, Rule>> = {
  async "carries messages to the peer whole and in order [J-046]"(stage) {
    const { transport, peer } = await stage.open();
    stage.listen(transport);
    for (const text of texts) transport.send(text);
    for (const text of texts) await stage.receives(peer, text);
  },

  async "carries messages from the peer whole and in order [J-046]"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    for (const text of texts) await peer.send(text);
    await stage.messages(heard, texts);
  },

  async "keeps the messages that arrived before listen"(stage) {
    const { transport, peer } = await stage.open();
    for (const text of numbered) await peer.send(text);
    await stage.letEverythingArrive();
    await stage.messages(stage.listen(transport), numbered);
  },

  async "keeps a close that arrived before listen"(stage) {
    const { transport, peer } = await stage.open();
    await peer.send("last");
    await peer.close(4001, "done");
    await stage.letEverythingArrive();
    const heard = stage.listen(transport);
    await stage.closed(heard, 4001, "done");
    await stage.messages(heard, ["last"]);
  },

  async "keeps the loss of a peer that vanished before listen"(stage) {
    const { transport, peer } = await stage.open();
    await peer.vanish();
    await stage.letEverythingArrive();
    await stage.closed(stage.listen(transport), 1006);
  },

  async "calls the listener only after listen has returned"(stage) {
    const { transport, peer } = await stage.open();
    await peer.send("early");
    await peer.close(4001, "");
    await stage.letEverythingArrive();
    let returned = false;
    const calledEarly: string[] = [];
    const heard = stage.listen(transport, (call) => {
      if (!returned) calledEarly.push(call);
    });
    returned = true;
    await stage.closed(heard, 4001);
    same(calledEarly, [], "The calls of the listener before listen returned");
  },

  async "reports the peer's close once, with its code and reason, after all messages"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    for (const text of texts) await peer.send(text);
    await peer.close(4001, "Grüße");
    await stage.closed(heard, 4001, "Grüße");
    await stage.messages(heard, texts);
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
  },

  async "closes with its code and reason, after all messages"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    for (const text of texts) transport.send(text);
    transport.close(3001, "Grüße");
    for (const text of texts) await stage.receives(peer, text);
    await stage.peerClosed(peer, 3001, "Grüße");
    await stage.closed(heard, 3001, "Grüße");
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
  },

  async "closes with 1000 and without a reason by default"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    transport.close();
    await stage.peerClosed(peer, 1000, "");
    await stage.closed(heard, 1000, "");
  },

  async "ignores send and close once it is closing"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    transport.send("before");
    transport.close(3001, "first");
    transport.send("after");
    transport.close(3002, "second");
    await stage.peerClosed(peer, 3001, "first");
    await stage.receives(peer, "before");
    await stage.receives(peer, undefined);
    await stage.closed(heard, 3001, "first");
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
  },

  async "ignores send and close once it has closed"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    await peer.close(4001, "done");
    await stage.closed(heard, 4001, "done");
    transport.send("after");
    transport.close(3001, "too late");
    await stage.peerClosed(peer, 4001, "done");
    await stage.receives(peer, undefined);
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
  },

  async "says that it is closing once it ignores what it is given to send, if it says anything"(stage) {
    for (const closeBy of ["transport", "peer"] as const) {
      const { transport, peer } = await stage.open();
      same(transport.closing ?? false, false, "`closing` of an open transport");
      let atClose: boolean | undefined;
      const heard = stage.listen(transport, (call) => {
        if (call === "close") atClose = transport.closing ?? true;
      });
      if (closeBy === "peer") await peer.close(4001, "");
      else {
        transport.close();
        same(transport.closing ?? true, true, "`closing` after close");
      }
      await stage.closed(heard);
      same(atClose, true, "`closing` when the close is reported");
      same(transport.closing ?? true, true, "`closing` after the end");
    }
  },

  async "reports its close although the peer never answers"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    await peer.stall();
    transport.send("into the void");
    transport.close();
    await stage.closed(heard);
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
  },

  async "reports 1006 when the peer vanishes, and ignores send and close from then on"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    await peer.vanish();
    await stage.closed(heard, 1006);
    transport.send("after");
    transport.close();
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
  },

  async "reports one close when both ends close at once"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport);
    const closing = peer.close(4001, "peer");
    transport.close(3001, "transport");
    await closing;
    await stage.closed(heard);
    await stage.within(peer.closed(), "The peer did not close");
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
  },

  async "can be closed from inside the listener"(stage) {
    const { transport, peer } = await stage.open();
    const heard = stage.listen(transport, (call) => {
      if (call === "message") transport.close(3001, "enough");
    });
    await peer.send("one");
    await peer.send("two");
    await stage.peerClosed(peer, 3001, "enough");
    await stage.closed(heard, 3001, "enough");
    await stage.letEverythingArrive();
    stage.endedOnce(heard);
    same(heard.messages[0], "one", "The first message");
  },
};

const refusesBinary =
  (code: number): Rule =>
  async (stage) => {
    const { transport, peer } = await stage.open();
    if (peer.sendBinary === undefined) throw new TypeError("The option binaryCloseCode needs a peer with sendBinary.");
    const heard = stage.listen(transport);
    await peer.sendBinary([0x5b, 0x5d]);
    await stage.within(peer.closed(), "The peer was not closed").then((closed) => {
      same(closed.code, code, "The close code that the peer received");
    });
    await stage.closed(heard);
    await stage.messages(heard, []);
    stage.endedOnce(heard);
  };

/** What a rule does and expects. */
class Stage {
  readonly #open: () => Promise<OpenedTransport>;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #opened: Transport[] = [];

  constructor(
    open: () => Promise<OpenedTransport>,
    { clock = systemClock, patienceMs = 8000 }: TransportContractOptions,
  ) {
    this.#open = open;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  async open(): Promise<OpenedTransport> {
    const opened = await this.within(this.#open(), "The link was not opened");
    this.#opened.push(opened.transport);
    return opened;
  }

  listen(transport: Transport, hook: (call: "message" | "close") => void = () => {}): Heard {
    const heard = new Heard(hook);
    transport.listen(heard);
    return heard;
  }

  /** Uses another link from opening to close: what was under way on the first link has arrived long before. */
  async letEverythingArrive(): Promise<void> {
    const { transport, peer } = await this.open();
    const heard = this.listen(transport);
    await peer.send("there");
    await this.messages(heard, ["there"]);
    transport.send("and back");
    await this.receives(peer, "and back");
    transport.close();
    await this.closed(heard);
  }

  async receives(peer: TransportPeer, text: string | undefined): Promise<void> {
    const received = await this.within(peer.receive(), `The peer did not receive ${shown(text)}`);
    same(received, text, "The next message that the peer received");
  }

  /** That these and no other messages have been heard. */
  async messages(heard: Heard, expected: readonly string[]): Promise<void> {
    const enough = heard.until(() => heard.messages.length >= expected.length);
    await this.within(enough, () => `Only ${heard.messages.length} of ${expected.length} messages were heard`);
    for (const [index, text] of expected.entries()) same(heard.messages[index], text, `Message ${index + 1}`);
    same(heard.messages.length, expected.length, "The number of messages heard");
  }

  async closed(heard: Heard, code?: number, reason?: string): Promise<void> {
    await this.within(
      heard.until(() => heard.closes.length > 0),
      "The transport did not report its close",
    );
    if (code !== undefined) same(heard.closes[0]?.code, code, "The close code that the listener heard");
    if (reason !== undefined) same(heard.closes[0]?.reason, reason, "The close reason that the listener heard");
  }

  async peerClosed(peer: TransportPeer, code: number, reason: string): Promise<void> {
    const closed = await this.within(peer.closed(), "The peer was not closed");
    same(closed.code, code, "The close code that the peer received");
    same(closed.reason, reason, "The close reason that the peer received");
  }

  endedOnce(heard: Heard): void {
    same(heard.closes.length, 1, "The number of closes heard");
    same(heard.messagesAfterClose, 0, "The number of messages heard after the close");
  }

  /** What `promise` resolves with; rejects when that takes longer than the patience lasts. */
  within<Result>(promise: Promise<Result>, complaint: string | (() => string)): Promise<Result> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.wakeAt(this.#clock.now() + this.#patienceMs, () => {
        const sentence = typeof complaint === "string" ? complaint : complaint();
        reject(new Error(`${sentence} within ${this.#patienceMs} ms.`));
      });
      promise.then(resolve, reject).finally(cancel);
    });
  }

  /** Closes what is still open. A transport that cannot even be closed has failed its rule already. */
  clear(): void {
    for (const transport of this.#opened) {
      try {
        transport.close();
      } catch {}
    }
  }
}

/** Remembers what a transport said, and in which order. */
class Heard implements TransportListener {
  readonly messages: string[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  messagesAfterClose = 0;
  readonly #hook: (call: "message" | "close") => void;
  #changed = (): void => {};

  constructor(hook: (call: "message" | "close") => void) {
    this.#hook = hook;
  }

  message(text: string): void {
    if (this.closes.length > 0) this.messagesAfterClose += 1;
    this.messages.push(text);
    this.#hook("message");
    this.#changed();
  }

  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
    this.#hook("close");
    this.#changed();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        if (condition()) resolve();
      };
      this.#changed();
    });
  }
}
