/** Why no connection came about. */
export interface HandshakeRefusal {
  /** The identity in the URL, where it could be read. */
  readonly identity?: string;
  /** Where the TCP connection came from; behind a proxy that is not trusted, the address of the proxy. */
  readonly remoteAddress?: string;
  /**
   * What was wrong:
   * `path`: the URL is not that of the endpoint and one identity, or the identity is too long.
   * `encoding`: the URL is not percent-encoded UTF-8, or the identity has control characters.
   * `no-upgrade`: the request did not ask for a WebSocket; often a proxy has removed the headers that do.
   * `version`: it asked for an unknown version of the WebSocket protocol.
   * `request`: it was no opening handshake for another reason, or no HTTP request at all.
   * `subprotocol`: it did not offer OCPP-J 1.6.
   * `unauthorized`: the credentials are missing or wrong.
   * `unknown-identity`: the application does not know the identity.
   * `duplicate`: a Charge Point of this identity is connected already.
   * `limit`: too many connections or handshakes.
   * `address-limit`: too many connections or handshakes from one address.
   * `guessing`: too many wrong passwords for this identity from this address, or too many failures of this address.
   * `origin`: it came from a web page of another site.
   * `busy`: the application is too busy to decide.
   * `timeout`: the peer took too long to send its request, or the application to decide.
   * `closing`: the Central System is shutting down.
   * `fault`: the application failed to decide; the event `fault` tells why.
   * `tls-version`: the peer wanted another version of TLS.
   * `tls-cipher`: it wanted another cipher suite.
   * `certificate`: its certificate is missing, expired, not trusted, or that of another identity.
   * `certificate-refused`: it does not accept ours.
   * `tls`: TLS failed for another reason.
   */
  readonly reason:
    | "path"
    | "encoding"
    | "no-upgrade"
    | "version"
    | "request"
    | "subprotocol"
    | "unauthorized"
    | "unknown-identity"
    | "duplicate"
    | "limit"
    | "address-limit"
    | "guessing"
    | "origin"
    | "busy"
    | "timeout"
    | "closing"
    | "fault"
    | "tls-version"
    | "tls-cipher"
    | "certificate"
    | "certificate-refused"
    | "tls";
  /** The HTTP status of the answer, where there was one; 101 where the WebSocket was opened and closed at once. */
  readonly status?: number;
  /** What happened, in one sentence. */
  readonly message: string;
  /** What to do about it, in one sentence. */
  readonly advice: string;
}

/** Nobody is let in any more. */
export const closing = {
  reason: "closing",
  status: 503,
  message: "The Central System is shutting down.",
  advice: "Nothing has to be done: the Charge Point will try again.",
} as const satisfies HandshakeRefusal;

/** It no longer asks. */
export const gone = {
  reason: "timeout",
  message: "The Charge Point has hung up before it was decided on.",
  advice: "Nothing has to be done: it will try again.",
} as const satisfies HandshakeRefusal;

/** Its identity is taken, by who is there. */
export const duplicate = {
  reason: "duplicate",
  status: 409,
  message: "A Charge Point of this identity is connected already.",
  advice: "Give each Charge Point an identity of its own.",
} as const satisfies HandshakeRefusal;
