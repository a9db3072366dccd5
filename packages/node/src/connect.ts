import type { Socket } from "node:net";
import {
  type Connect,
  type ConnectTarget,
  connectionUrl,
  HandshakeError,
  subprotocol,
  systemClock,
  type Transport,
} from "@ocppj/core";
import { WebSocket } from "ws";
import { basicAuthorization } from "./basic-authorization.ts";
import { type TransportOptions, WebSocketTransport, webSocketOptions } from "./web-socket-transport.ts";

/** Settings of {@link connect}. */
export interface ConnectOptions extends TransportOptions {
  /**
   * The password of the Charge Point for HTTP Basic authentication. A string is the value of the configuration key
   * `AuthorizationKey`: 32 to 40 hexadecimal digits, two for each byte. A `Uint8Array` is the password itself, byte for
   * byte. Default: none, nothing is sent.
   *
   * @spec OCPP-J 1.6 §6.2.2; J errata 3.10 [J-174 … J-176, J-181, SEC-A00-205]
   */
  readonly authorizationKey?: string | Uint8Array;
  /** How many milliseconds an attempt may take, from the look-up of the name to the open WebSocket. Default 30 000. */
  readonly handshakeTimeoutMs?: number;
}

/**
 * Makes the function with which a `ChargePoint` opens its WebSockets.
 *
 * Each attempt offers the subprotocol `ocpp1.6` and nothing else, no compression, follows no redirect and ends in a
 * transport or a rejection; a failed one leaves no socket behind. What it returns rejects with a {@link HandshakeError},
 * whose `reason` is `unauthorized` after HTTP 401, `unknown-identity` after 404, `subprotocol` when the server chose none
 * or another one, and `network` otherwise; or with a TypeError when the URL or the identity is none.
 *
 * @param options - A function is asked at each attempt, so that a new AuthorizationKey or WebSocketPingInterval takes effect
 * with the next connection.
 * @throws TypeError `authorizationKey` is a string, but not 32 to 40 hexadecimal digits; where the options are a function,
 * what is returned rejects with it.
 * @spec OCPP-J 1.6 §3.1, §3.2 [J-001, J-020, J-026, J-027]; J errata 3.3 [J-031, J-033]
 */
export function connect(options: ConnectOptions | (() => ConnectOptions) = {}): Connect {
  if (typeof options === "function") return async (target) => connect(options())(target);
  const { authorizationKey } = options;
  const password = authorizationKey === undefined ? undefined : passwordBytes(authorizationKey);
  return async (target) => open(target, password, options);
}

/** SEC-A00-205: the key is written in hexadecimal; J-176: what travels are the bytes. */
function passwordBytes(authorizationKey: string | Uint8Array): Uint8Array {
  if (typeof authorizationKey !== "string") return Uint8Array.from(authorizationKey);
  if (!/^(?:[0-9a-f]{2}){16,20}$/i.test(authorizationKey)) {
    throw new TypeError(
      "authorizationKey is not 32 to 40 hexadecimal digits, two for each byte. " +
        "For a password that is not written in hexadecimal pass its bytes, for example new TextEncoder().encode(password).",
    );
  }
  return Buffer.from(authorizationKey, "hex");
}

function open(
  { url: endpoint, identity }: ConnectTarget,
  password: Uint8Array | undefined,
  options: ConnectOptions,
): Promise<Transport> {
  const url = connectionUrl(endpoint, identity);
  checkUrl(url);
  const { clock = systemClock, handshakeTimeoutMs = 30_000 } = options;
  const headers = password === undefined ? {} : { Authorization: basicAuthorization(identity, password) };

  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(url, [subprotocol], { ...webSocketOptions(options), headers });
    const disarm = clock.wakeAt(clock.now() + handshakeTimeoutMs, () =>
      fail(
        failure("network", `did not complete the opening handshake within ${handshakeTimeoutMs} ms. ${checkNetwork}`),
      ),
    );
    let socket: Socket;

    function fail(error: HandshakeError): void {
      disarm();
      reject(error);
      webSocket.terminate(); // Also when `ws` gives up by itself: it does nothing then.
    }

    function failure(
      reason: HandshakeError["reason"],
      whatHappened: string,
      more: { readonly status?: number; readonly cause?: unknown } = {},
    ): HandshakeError {
      return new HandshakeError(reason, `The Central System at ${url} ${whatHappened}`, { url, ...more });
    }

    webSocket.on("unexpected-response", (_, { statusCode: status = 0, statusMessage = "", headers: { location } }) => {
      const answered = `answered HTTP ${status} ${statusMessage}`.trimEnd();
      if (status === 401) {
        const advice = password === undefined ? "Give the authorizationKey" : "Check the authorizationKey";
        fail(failure("unauthorized", `${answered}: it does not let "${identity}" in. ${advice}.`, { status }));
      } else if (status === 404) {
        const advice = "Register it there, or correct the URL or the identity.";
        fail(failure("unknown-identity", `${answered}: it does not know "${identity}". ${advice}`, { status }));
      } else {
        const moved = location === undefined ? "" : ` and points to ${location}`;
        fail(failure("network", `${answered}${moved} instead of opening a WebSocket. ${checkUrlAdvice}`, { status }));
      }
    });
    webSocket.on("upgrade", (response) => {
      socket = response.socket;
      const chosen = response.headers["sec-websocket-protocol"];
      if (chosen === subprotocol) return;
      const choice = chosen === undefined ? "chose no subprotocol" : `chose the subprotocol "${chosen}"`;
      const advice = `It does not speak OCPP-J 1.6 at this URL. ${checkUrlAdvice}`;
      fail(failure("subprotocol", `${choice}, offered "${subprotocol}". ${advice}`, { status: 101 }));
    });
    const failed = (cause: Error): void =>
      fail(failure("network", `did not open a WebSocket: ${textOf(cause)}. ${checkNetwork}`, { cause }));
    webSocket.on("error", failed);
    webSocket.on("open", () => {
      disarm();
      webSocket.off("error", failed);
      resolve(new WebSocketTransport(webSocket, socket, options));
    });
  });
}

const checkUrlAdvice = "Check that the URL is that of its OCPP-J 1.6 endpoint.";
const checkNetwork = "Check the URL and the network, then try again.";

function checkUrl(url: string): void {
  if (!URL.canParse(url))
    throw new TypeError(`"${url}" is no URL. Give an endpoint like "wss://central.example.com/ocpp".`);
  const { username, password } = new URL(url);
  if (username === "" && password === "") return;
  // They would end up in error messages, and the user name is always the identity. [J-175]
  throw new TypeError("The endpoint URL contains a user name or a password. Pass the password as authorizationKey.");
}

/** Node reports a name with several addresses, none of which answers, as an AggregateError without a message. */
function textOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map((one: Error) => one.message).join("; ") : error.message;
}
