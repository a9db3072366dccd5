import {
  type Connect,
  type ConnectTarget,
  connectionUrl,
  HandshakeError,
  type HandshakeFailure,
  type OptionRules,
  optionRules,
  type Quirk,
  type QuirkSet,
  subprotocol,
  systemClock,
  type Tolerated,
  type Transport,
  takeOptions,
} from "@ocppj/core";
import { type TransportOptions, WebSocketTransport } from "./web-socket-transport.ts";

/** Settings of {@link connect}. */
export interface ConnectOptions extends TransportOptions {
  /** How many milliseconds an attempt may take, from the look-up of the name to the open WebSocket. Default 30 000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * What is forgiven of opening handshakes, see `quirks`: `missingSubprotocol` forgives a Central System that chooses
   * no subprotocol. Browsers refuse that and do not say so; an attempt that failed with `network` is therefore followed
   * by one that offers no subprotocol. The other quirks are ignored here, and are for the `ChargePoint`. Default:
   * nothing. [Q18]
   */
  readonly tolerate?: QuirkSet | undefined;
}

/**
 * Makes the function with which a Charge Point opens its WebSockets, in a browser and wherever else `WebSocket` is
 * global.
 *
 * Each attempt offers the subprotocol `ocpp1.6` and nothing else, and ends in a transport or a rejection. What it
 * returns rejects with a {@link HandshakeError}, whose `reason` is `network` in browsers, unless it is `timeout`: they
 * tell neither the HTTP status nor what TLS failed for nor that no subprotocol was agreed on. What other runtimes tell
 * is in the message. The reason is `subprotocol` where the runtime leaves that to its user. It rejects with a TypeError
 * when the URL or the identity is none, and with the reason of `signal` when that aborts; no socket is left behind then
 * either.
 *
 * A page cannot set request headers, so there is no HTTP Basic authentication; a URL with a user name or a password is
 * refused, because browsers disagree about them. Nor can it send pings: Heartbeat has to show that the connection
 * lives.
 *
 * @throws TypeError One of the options is not what it may be, there is no such option, or the runtime has no
 * `WebSocket`.
 * @spec OCPP-J 1.6 §3.1, §3.2 [J-005, J-006, J-020, J-026, J-027, J-158, J-186]
 */
export function connect(options: ConnectOptions = {}): Connect {
  const taken = takeOptions("connect", options, connectRules);
  if (typeof WebSocket === "undefined") {
    throw new TypeError(
      "This runtime has no WebSocket. In Node.js 20 use @ocppj/node, whose connect is called the same.",
    );
  }
  const quirk = Object.values(taken.tolerate ?? []).find(
    (row: Quirk) => row.scope === "handshake" && row.subprotocol !== undefined,
  );
  return async ({ url: endpoint, identity, signal }) => {
    const url = connectionUrl(endpoint, identity);
    checkUrl(url);
    try {
      return await open(url, [subprotocol], quirk, signal, taken);
    } catch (error) {
      if (quirk === undefined || !(error instanceof HandshakeError) || error.reason !== "network") throw error;
      return open(url, [], quirk, signal, taken);
    }
  };
}

const connectRules: OptionRules<ConnectOptions> = {
  handshakeTimeoutMs: optionRules.milliseconds,
  tolerate: optionRules.quirks,
  maxFrameBytes: optionRules.whole(1),
  maxBufferedBytes: optionRules.whole(1),
  closeTimeoutMs: optionRules.milliseconds,
};

/** @param quirk - What forgives that no subprotocol is chosen; absent: nothing does. */
function open(
  url: string,
  offered: readonly string[],
  quirk: Quirk | undefined,
  signal: ConnectTarget["signal"],
  options: ConnectOptions,
): Promise<Transport> {
  const { handshakeTimeoutMs = 30_000 } = options;

  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw signal.reason;
    const webSocket = create(url, offered);
    const disarm = systemClock.wakeAt(systemClock.now() + handshakeTimeoutMs, () =>
      fail("timeout", `did not complete the opening handshake within ${handshakeTimeoutMs} ms`, checkNetwork),
    );
    const abort = (): void => end(signal?.reason);
    signal?.addEventListener("abort", abort);

    /** Stops to hear of the handshake: some runtimes report a failure again, inside of `close`. */
    function settle(): void {
      disarm();
      signal?.removeEventListener("abort", abort);
      webSocket.onerror = null;
    }

    function fail(reason: HandshakeFailure, what: string, advice: string, cause?: unknown): void {
      const tried = withoutQuery(url);
      end(new HandshakeError(reason, `The Central System at ${tried} ${what}.`, { url: tried, advice, cause }));
    }

    function end(error: unknown): void {
      settle();
      webSocket.onopen = null;
      reject(error);
      webSocket.close(); // Does nothing where the runtime has given up by itself.
    }

    webSocket.onerror = (event) => {
      const { error } = event as Partial<ErrorEvent>; // Browsers do not have it.
      if (error === undefined) fail("network", "did not open a WebSocket", `Browsers do not tell why: ${checkAll}`);
      else fail("network", `did not open a WebSocket: ${wordsOf(error, url)}`, `Otherwise ${checkAll}`, error);
    };
    webSocket.onopen = () => {
      if (webSocket.protocol === subprotocol) {
        settle();
        resolve(new WebSocketTransport(webSocket, options));
      } else if (webSocket.protocol === "" && quirk !== undefined) {
        settle();
        resolve(new WebSocketTransport(webSocket, options, [useOf(quirk)]));
      } else {
        // J-026: a 101 without an agreed subprotocol is a failed attempt.
        // Browsers see to that themselves, Deno does not.
        const { protocol } = webSocket;
        const choice = protocol === "" ? "no subprotocol" : `the subprotocol "${protocol}"`;
        const advice = `Check the URL: it is not for OCPP-J 1.6.${protocol === "" ? ` If it is, ${adviceOnQuirk}` : ""}`;
        fail("subprotocol", `chose ${choice}, offered "${subprotocol}"`, advice);
      }
    };
  });
}

const adviceOnQuirk = "connect with the option tolerate: [quirks.missingSubprotocol].";

const checkNetwork = "Check the URL and the network, then try again.";

const checkAll =
  "check the URL, the network and the certificate, and whether the Central System knows the " +
  `identity, asks for no password and speaks "${subprotocol}". If it may do so without choosing it, ${adviceOnQuirk}`;

const useOf = ({ name, id, forgives }: Quirk): Tolerated => ({
  quirk: name,
  id,
  path: "",
  message: `The opening handshake has ${forgives}.`,
});

/** The query of a URL may be secret. */
const withoutQuery = (url: string): string => url.replace(/\?.*/s, "");

/** What a runtime says of a failure, to be continued with a full stop. */
function wordsOf(error: unknown, url: string): string {
  const said = error instanceof Error ? error.message : String(error);
  return said.replaceAll(url, withoutQuery(url)).trim().replace(/\.$/, "");
}

/** A browser may throw instead of failing later, for example at `ws:` in a page that came over HTTPS. */
function create(url: string, offered: readonly string[]): WebSocket {
  try {
    return new WebSocket(url, [...offered]);
  } catch (cause) {
    const tried = withoutQuery(url);
    const said = wordsOf(cause, url);
    const advice = "Use wss, or a page that came over HTTP.";
    throw new HandshakeError("network", `No WebSocket to ${tried} may be opened from here: ${said}.`, {
      url: tried,
      advice,
      cause,
    });
  }
}

function checkUrl(url: string): void {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new TypeError(`"${url}" is no URL. Give an endpoint like "wss://central.example.com/ocpp".`, { cause });
  }
  if (parsed.username === "" && parsed.password === "") return;
  // J-186: "support is inconsistent across browsers". They would also end up in error messages.
  throw new TypeError("The endpoint URL contains a user name or a password, which a page cannot send reliably.");
}
