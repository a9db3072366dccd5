import type { Transport, TransportListener } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import {
  FakeClock,
  type LinkedTransport,
  type OpenedTransport,
  type TransportContractCase,
  type TransportContractOptions,
  type TransportPeer,
  transportContract,
  transportPair,
} from "../src/index.ts";

/** The far end of a pair, as a peer. */
function peerOf(end: LinkedTransport): TransportPeer {
  const messages: string[] = [];
  let closed: { code: number; reason: string } | undefined;
  let changed = (): void => {};
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      changed = () => {
        if (condition()) resolve();
      };
      changed();
    });
  end.listen({
    message(text) {
      messages.push(text);
      changed();
    },
    close(code, reason) {
      closed = { code, reason };
      changed();
    },
  });
  return {
    send: async (text) => end.send(text),
    async receive() {
      await until(() => messages.length > 0 || closed !== undefined);
      return messages.shift();
    },
    close: async (code, reason) => end.close(code, reason),
    async closed() {
      await until(() => closed !== undefined);
      return closed ?? { code: 0, reason: "" };
    },
    vanish: async () => end.drop(),
    stall: async () => end.mute(),
    sendBinary: async () => end.send("binary"),
  };
}

type Breakage = (transport: Transport, clock: FakeClock) => Partial<Transport>;

/** The contract over a pair, whose clock runs while a case waits; `breakage` replaces methods of the transport. */
function contractOver(
  breakage: Breakage = () => ({}),
  options: TransportContractOptions = {},
): TransportContractCase[] {
  const clock = new FakeClock();
  const open = async (): Promise<OpenedTransport> => {
    const { chargePoint: near, centralSystem: far } = transportPair(clock, { latencyMs: 20, closeTimeoutMs: 1000 });
    const transport: Transport = {
      listen: (listener) => near.listen(listener),
      send: (text) => near.send(text),
      close: (code, reason) => near.close(code, reason),
    };
    return { transport: { ...transport, ...breakage(transport, clock) }, peer: peerOf(far) };
  };
  return transportContract(open, { clock, ...options }).map(({ title, run }) => ({
    title,
    async run() {
      let running = true;
      const outcome = run().finally(() => {
        running = false;
      });
      outcome.catch(() => {}); // Awaited below, once the clock has stopped.
      while (running) await clock.advance(10);
      await outcome;
    },
  }));
}

async function failures(breakage: Breakage, options?: TransportContractOptions): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  for (const { title, run } of contractOver(breakage, options)) {
    await run().catch((error: Error) => {
      failed[title.replace(/ \[.*/, "")] = error.message;
    });
  }
  return failed;
}

describe("transportPair keeps the contract", () => {
  for (const { title, run } of contractOver()) test(title, run);
});

/** One broken transport per rule. */
const mutants: Record<string, { rule: string; message: RegExp; breakage: Breakage }> = {
  "reverses pairs of messages": {
    rule: "carries messages to the peer whole and in order",
    message: /The next message that the peer received: expected .*"0.*, got .*"1/,
    breakage(transport) {
      let held: string | undefined;
      return {
        send(text) {
          if (held === undefined) {
            held = text;
          } else {
            transport.send(text);
            transport.send(held);
            held = undefined;
          }
        },
      };
    },
  },
  "swallows empty messages": {
    rule: "carries messages to the peer whole and in order",
    message: /expected "", got "🔌/,
    breakage: (transport) => ({ send: (text) => text && transport.send(text) }),
  },
  "sends latin-1": {
    rule: "carries messages to the peer whole and in order",
    message: /expected "🔌/,
    breakage: (transport) => ({
      send: (text) => transport.send([...text].map((char) => (char.charCodeAt(0) > 255 ? "?" : char)).join("")),
    }),
  },
  "cuts messages at 64 KiB": {
    rule: "carries messages to the peer whole and in order",
    message: /expected "x+… \(100002 characters\), got "x+… \(65538 characters\)/,
    breakage: (transport) => ({ send: (text) => transport.send(text.slice(0, 65_536)) }),
  },
  "hears truncated messages": {
    rule: "carries messages from the peer whole and in order",
    message: /Message 24: expected "x/,
    breakage: hearing((listener) => ({ message: (text) => listener.message(text.slice(0, 65_536)) })),
  },
  "hears every message twice": {
    rule: "carries messages from the peer whole and in order",
    message: /Message 2: expected/,
    breakage: hearing((listener) => ({
      message(text) {
        listener.message(text);
        listener.message(text);
      },
    })),
  },
  "loses what arrived before listen": {
    rule: "keeps the messages that arrived before listen",
    message: /Only 0 of 20 messages were heard within 8000 ms\./,
    breakage: forgetting(() => true),
  },
  "loses a close that arrived before listen": {
    rule: "keeps a close that arrived before listen",
    message: /The transport did not report its close within 8000 ms\./,
    breakage: forgetting((event) => "code" in event && event.code !== 1006),
  },
  "loses the loss of a peer before listen": {
    rule: "keeps the loss of a peer that vanished before listen",
    message: /The transport did not report its close/,
    breakage: forgetting((event) => "code" in event && event.code === 1006),
  },
  "delivers inside listen": {
    rule: "calls the listener only after listen has returned",
    message: /expected \[\], got \["message"/,
    breakage: forgetting(() => false),
  },
  "reports the peer's close as 1000": {
    rule: "reports the peer's close once, with its code and reason, after all messages",
    message: /The close code that the listener heard: expected 4001, got 1000/,
    breakage: hearing((listener) => ({ close: (_, reason) => listener.close(1000, reason) })),
  },
  "loses the peer's reason": {
    rule: "reports the peer's close once, with its code and reason, after all messages",
    message: /The close reason that the listener heard: expected "Grüße", got ""/,
    breakage: hearing((listener) => ({ close: (code) => listener.close(code, "") })),
  },
  "reports the close twice": {
    rule: "reports the peer's close once, with its code and reason, after all messages",
    message: /The number of closes heard: expected 1, got 2/,
    breakage: hearing((listener, clock) => ({
      close(code, reason) {
        listener.close(code, reason);
        clock.wakeAt(clock.now() + 1, () => listener.close(code, reason));
      },
    })),
  },
  "delivers a message after the close": {
    rule: "reports the peer's close once, with its code and reason, after all messages",
    message: /The number of messages heard after the close: expected 0, got 1/,
    breakage: hearing((listener, clock) => ({
      close(code, reason) {
        listener.close(code, reason);
        clock.wakeAt(clock.now() + 1, () => listener.message("late"));
      },
    })),
  },
  "reports the close before the last message": {
    rule: "reports the peer's close once, with its code and reason, after all messages",
    message: /The number of messages heard after the close: expected 0, got 5/,
    breakage: hearing((listener) => {
      const held: string[] = [];
      let heard = 0;
      return {
        message: (text) => (++heard > 40 ? held.push(text) : listener.message(text)),
        close(code, reason) {
          listener.close(code, reason);
          for (const text of held) listener.message(text);
        },
      };
    }),
  },
  "closes before it has sent everything": {
    rule: "closes with its code and reason, after all messages",
    message: /The next message that the peer received: expected .*, got nothing/,
    breakage: (transport, clock) => ({
      send: (text) => void clock.wakeAt(clock.now() + 1, () => transport.send(text)),
    }),
  },
  "closes without its code": {
    rule: "closes with its code and reason, after all messages",
    message: /The close code that the peer received: expected 3001, got 1000/,
    breakage: (transport) => ({ close: (_, reason) => transport.close(1000, reason) }),
  },
  "closes without its reason": {
    rule: "closes with its code and reason, after all messages",
    message: /The close reason that the peer received: expected "Grüße", got ""/,
    breakage: (transport) => ({ close: (code) => transport.close(code) }),
  },
  "closes with 1001 by default": {
    rule: "closes with 1000 and without a reason by default",
    message: /expected 1000, got 1001/,
    breakage: (transport) => ({ close: (code = 1001, reason) => transport.close(code, reason) }),
  },
  "sends while it is closing": {
    rule: "ignores send and close once it is closing",
    message: /The next message that the peer received: expected nothing, got "after"/,
    breakage: (transport, clock) => ({
      close: (code, reason) => void clock.wakeAt(clock.now(), () => transport.close(code, reason)),
    }),
  },
  "throws when it is closed twice": {
    rule: "ignores send and close once it is closing",
    message: /closed already/,
    breakage(transport) {
      let closing = false;
      return {
        close(code, reason) {
          if (closing) throw new Error("closed already");
          closing = true;
          transport.close(code, reason);
        },
      };
    },
  },
  "throws when it is used after the close": {
    rule: "ignores send and close once it has closed",
    message: /not open/,
    breakage(transport) {
      let closed = false;
      return {
        listen: (listener) =>
          transport.listen({
            message: (text) => listener.message(text),
            close(code, reason) {
              closed = true;
              listener.close(code, reason);
            },
          }),
        send(text) {
          if (closed) throw new Error("not open");
          transport.send(text);
        },
      };
    },
  },
  "waits for ever for the peer's answer": {
    rule: "reports its close although the peer never answers",
    message: /The transport did not report its close within 8000 ms\./,
    breakage(transport) {
      let closing = false;
      return {
        listen: (listener) =>
          transport.listen({
            message: (text) => listener.message(text),
            close(code, reason) {
              if (!closing || code !== 1006) listener.close(code, reason);
            },
          }),
        close(code, reason) {
          closing = true;
          transport.close(code, reason);
        },
      };
    },
  },
  "takes a lost connection for a normal end": {
    rule: "reports 1006 when the peer vanishes, and ignores send and close from then on",
    message: /The close code that the listener heard: expected 1006, got 1000/,
    breakage: hearing((listener) => ({ close: (code, reason) => listener.close(code === 1006 ? 1000 : code, reason) })),
  },
  "reports its own close at once and the peer's later": {
    rule: "reports one close when both ends close at once",
    message: /The number of closes heard: expected 1, got 2/,
    breakage(transport, clock) {
      let listener: TransportListener | undefined;
      return {
        listen(given) {
          listener = given;
          transport.listen(given);
        },
        close(code = 1000, reason = "") {
          transport.close(code, reason);
          clock.wakeAt(clock.now(), () => listener?.close(code, reason));
        },
      };
    },
  },
  "says for ever that it is open": {
    rule: "says that it is closing once it ignores what it is given to send, if it says anything",
    message: /`closing` after close: expected true, got false/,
    breakage: () => ({ closing: false }),
  },
  "says that it is closing when it is open": {
    rule: "says that it is closing once it ignores what it is given to send, if it says anything",
    message: /`closing` of an open transport: expected false, got true/,
    breakage: () => ({ closing: true }),
  },
  "cannot be closed while it delivers": {
    rule: "can be closed from inside the listener",
    message: /The peer was not closed within 8000 ms\./,
    breakage(transport) {
      let delivering = false;
      return {
        listen: (listener) =>
          transport.listen({
            message(text) {
              delivering = true;
              listener.message(text);
              delivering = false;
            },
            close: (code, reason) => listener.close(code, reason),
          }),
        close(code, reason) {
          if (!delivering) transport.close(code, reason);
        },
      };
    },
  },
};

describe("transportContract", () => {
  test.each(Object.entries(mutants))("fails a transport that %s", async (_, { rule, message, breakage }) => {
    expect((await failures(breakage))[rule]).toMatch(message);
  });

  test("has a broken transport for every rule", () => {
    const rules = contractOver().map(({ title }) => title.replace(/ \[.*/, ""));
    expect([...new Set(Object.values(mutants).map(({ rule }) => rule))].sort()).toEqual(rules.sort());
  });

  test("asks for a refusal of binary messages when it is told the code", async () => {
    const rule = "refuses a binary message with close code 1003";
    const refusing = hearing((listener, _, transport) => ({
      message: (text) => (text === "binary" ? transport.close(1003) : listener.message(text)),
    }));
    expect(await failures(refusing, { binaryCloseCode: 1003 })).toEqual({});
    expect(await failures(() => ({}), { binaryCloseCode: 1003 })).toEqual({
      [rule]: "The peer was not closed within 8000 ms.",
    });
    expect(contractOver().map(({ title }) => title)).not.toContain(`${rule} [J-047]`);
  });
});

/** A transport whose listener is told something else. */
function hearing(
  change: (listener: TransportListener, clock: FakeClock, transport: Transport) => Partial<TransportListener>,
): Breakage {
  return (transport, clock) => ({
    listen: (listener) =>
      transport.listen({
        message: (text) => listener.message(text),
        close: (code, reason) => listener.close(code, reason),
        ...change(listener, clock, transport),
      }),
  });
}

type Kept = { readonly text: string } | { readonly code: number; readonly reason: string };

/** A transport that reads before it is listened to, forgets some of that, and delivers the rest inside `listen`. */
function forgetting(forgets: (event: Kept) => boolean): Breakage {
  return (transport) => {
    const kept: Kept[] = [];
    let tell = (event: Kept): void => {
      if (!forgets(event)) kept.push(event);
    };
    transport.listen({ message: (text) => tell({ text }), close: (code, reason) => tell({ code, reason }) });
    return {
      listen(listener) {
        tell = (event) => ("text" in event ? listener.message(event.text) : listener.close(event.code, event.reason));
        for (const event of kept) tell(event);
      },
    };
  };
}
