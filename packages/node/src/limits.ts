import type { EndpointOptions } from "./endpoint.ts";

/** The options that are limits, of both sides. */
type Limits = Pick<
  EndpointOptions,
  | "closeTimeoutMs"
  | "handshakeTimeoutMs"
  | "maxBufferedBytes"
  | "maxConnections"
  | "maxFrameBytes"
  | "maxHandshakes"
  | "pingIntervalMs"
>;

/**
 * Checks limits: one that is no number, read from somewhere, would be no limit.
 *
 * @throws TypeError One is no positive number; `pingIntervalMs`: no number at all.
 */
export function checkLimits({ pingIntervalMs, ...options }: Limits): void {
  const { closeTimeoutMs, handshakeTimeoutMs, maxBufferedBytes, maxConnections, maxFrameBytes, maxHandshakes } =
    options;
  const positive = {
    closeTimeoutMs,
    handshakeTimeoutMs,
    maxBufferedBytes,
    maxConnections,
    maxFrameBytes,
    maxHandshakes,
  };
  for (const [name, limit = 1] of Object.entries(positive)) {
    if (!(limit > 0)) throw new TypeError(`${name} is ${limit}. Give a positive number.`);
  }
  if (Number.isNaN(pingIntervalMs)) throw new TypeError("pingIntervalMs is NaN. Give a number of milliseconds.");
}
