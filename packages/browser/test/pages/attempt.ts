import { type ConnectOptions, connect } from "@ocppj/browser";
import { type ConnectTarget, type HandshakeError, quirks } from "@ocppj/core";

/** How an attempt to connect has ended. */
type Attempt =
  | { readonly outcome: "opened"; readonly tolerated?: readonly string[] }
  | ({ readonly outcome: "rejected"; readonly cause: string | undefined } & Pick<HandshakeError, Told>);

type Told = "name" | "message" | "reason" | "url" | "status";

declare global {
  /**
   * Connects, and closes at once if that succeeds.
   *
   * @param tolerate - Names of quirks, which cannot travel to a page themselves.
   */
  function attempt(
    target: ConnectTarget,
    options?: ConnectOptions,
    tolerate?: readonly (keyof typeof quirks)[],
  ): Promise<Attempt>;
  /** Aborts the signal of all attempts. */
  function giveUp(): void;
}

const controller = new AbortController();
globalThis.giveUp = () => controller.abort(new Error("Nobody wants it any more."));

globalThis.attempt = async (target, options, tolerate) => {
  try {
    const transport = await connect({
      ...options,
      ...(tolerate && { tolerate: tolerate.map((name) => quirks[name]) }),
    })({ ...target, signal: controller.signal });
    transport.close();
    const tolerated = transport.tolerated?.map(({ quirk }) => quirk) ?? [];
    return { outcome: "opened", ...(tolerated.length > 0 && { tolerated }) };
  } catch (error) {
    // Of any other error, some of these are undefined.
    const { name, message, reason, url, status, cause } = error as HandshakeError;
    return { outcome: "rejected", name, message, reason, url, status, cause: (cause as Error | undefined)?.message };
  }
};
