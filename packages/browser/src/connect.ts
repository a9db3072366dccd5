import {
  type Connect,
  connectionUrl,
  HandshakeError,
  type HandshakeFailure,
  subprotocol,
  systemClock,
  type Transport,
} from "@ocppj/core";
import { type TransportOptions, WebSocketTransport } from "./web-socket-transport.ts";

/** Settings of {@link connect}. */
export interface ConnectOptions extends TransportOptions {
  /** How many milliseconds an attempt may take, from the look-up of the name to the open WebSocket. Default 30 000. */
  readonly handshakeTimeoutMs?: number;
}

/**
 * Makes the function with which a Charge Point opens its WebSockets, in a browser and wherever else `WebSocket` is global.
 *
 * Each attempt offers the subprotocol `ocpp1.6` and nothing else, and ends in a transport or a rejection. What it returns
 * rejects with a {@link HandshakeError}, whose `reason` is `network` in browsers, unless it is `timeout`: they tell neither
 * the HTTP status nor what TLS failed for nor that no subprotocol was agreed on. It is `subprotocol` where the runtime leaves
 * that to its user. It rejects with a TypeError when the URL or the identity is none.
 *
 * A page cannot set request headers, so there is no HTTP Basic authentication; a URL with a user name or a password is
 * refused, because browsers disagree about them. Nor can it send pings: Heartbeat has to show that the connection lives.
 *
 * @spec OCPP-J 1.6 §3.1, §3.2 [J-005, J-006, J-020, J-026, J-027, J-158, J-186]
 */
export function connect(options: ConnectOptions = {}): Connect {
  return async ({ url: endpoint, identity }) => {
    const url = connectionUrl(endpoint, identity);
    checkUrl(url);
    return open(url, options);
  };
}

function open(url: string, options: ConnectOptions): Promise<Transport> {
  const { handshakeTimeoutMs = 30_000 } = options;

  return new Promise((resolve, reject) => {
    const webSocket = create(url);
    const disarm = systemClock.wakeAt(systemClock.now() + handshakeTimeoutMs, () =>
      fail("timeout", `did not complete the opening handshake within ${handshakeTimeoutMs} ms`, checkNetwork),
    );

    /** Stops to hear of the handshake: some runtimes report a failure again, inside of `close`. */
    function settle(): void {
      disarm();
      webSocket.onerror = null;
    }

    function fail(reason: HandshakeFailure, what: string, advice: string, cause?: unknown): void {
      settle();
      const tried = withoutQuery(url);
      reject(new HandshakeError(reason, `The Central System at ${tried} ${what}.`, { url: tried, advice, cause }));
      webSocket.close(); // Does nothing where the runtime has given up by itself.
    }

    webSocket.onerror = (event) => {
      const { error } = event as Partial<ErrorEvent>; // Browsers do not have it.
      fail("network", "did not open a WebSocket", checkAll, error);
    };
    webSocket.onopen = () => {
      if (webSocket.protocol === subprotocol) {
        settle();
        resolve(new WebSocketTransport(webSocket, options));
      } else {
        // J-026: a 101 without an agreed subprotocol is a failed attempt. Browsers see to that themselves, Deno does not.
        const choice = webSocket.protocol === "" ? "no subprotocol" : `the subprotocol "${webSocket.protocol}"`;
        fail("subprotocol", `chose ${choice}, offered "${subprotocol}"`, "Check the URL: it is not for OCPP-J 1.6.");
      }
    };
  });
}

const checkNetwork = "Check the URL and the network, then try again.";

const checkAll =
  "Browsers do not tell why: check the URL, the network and the certificate, and whether the Central System knows the " +
  `identity, asks for no password and speaks "${subprotocol}".`;

/** The query of a URL may be secret. */
const withoutQuery = (url: string): string => url.replace(/\?.*/s, "");

/** A browser may throw instead of failing later, for example at `ws:` in a page that came over HTTPS. */
function create(url: string): WebSocket {
  try {
    return new WebSocket(url, subprotocol);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const tried = withoutQuery(url);
    const said = why.replace(url, tried).replace(/\.$/, "");
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
