import { type ConnectOptions, connect } from "@ocppj/browser";
import type { ConnectTarget, HandshakeError } from "@ocppj/core";

/** How an attempt to connect has ended. */
type Attempt =
  | { readonly outcome: "opened" }
  | ({ readonly outcome: "rejected"; readonly cause: string | undefined } & Pick<HandshakeError, Told>);

type Told = "name" | "message" | "reason" | "url" | "status";

declare global {
  /** Connects, and closes at once if that succeeds. */
  function attempt(target: ConnectTarget, options?: ConnectOptions): Promise<Attempt>;
}

globalThis.attempt = async (target, options) => {
  try {
    const transport = await connect(options)(target);
    transport.close();
    return { outcome: "opened" };
  } catch (error) {
    // Of any other error, some of these are undefined.
    const { name, message, reason, url, status, cause } = error as HandshakeError;
    return { outcome: "rejected", name, message, reason, url, status, cause: (cause as Error | undefined)?.message };
  }
};
