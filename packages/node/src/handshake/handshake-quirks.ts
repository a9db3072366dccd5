import type { IncomingMessage } from "node:http";
import { identityFromPath, type Quirk, type QuirkSet, type Tolerated } from "@ocppj/core";
import { shortened } from "../peer-text.ts";
import { asked } from "./asked.ts";
import { targetOf } from "./request-target.ts";

type HandshakeQuirk = Extract<Quirk, { readonly scope: "handshake" }>;

/**
 * What is forgiven of opening handshakes. Each method is asked only after the handshake was found wrong without it, and
 * remembers what it forgave, to be told once the WebSocket is open: of a handshake that is refused all the same, nothing was
 * tolerated.
 */
export class HandshakeQuirks {
  readonly #rows: readonly HandshakeQuirk[];
  readonly #uses = new WeakMap<IncomingMessage, Map<string, Tolerated>>();
  readonly #fault: (error: unknown) => void;

  /**
   * @param quirks - Those of frames and payloads among them are ignored.
   * @param fault - Hears what a row throws that an owner wrote; it forgives nothing then.
   */
  constructor(quirks: QuirkSet = [], fault: (error: unknown) => void = () => {}) {
    this.#rows = Object.values(quirks).filter((quirk): quirk is HandshakeQuirk => quirk.scope === "handshake");
    this.#fault = fault;
  }

  /** The identity in a path that has none as it is; `undefined` when it has none as the quirks read it, either. [Q19] */
  identityIn(request: IncomingMessage, endpointPath: string): string | undefined {
    const [path = ""] = targetOf(request).split("?", 1);
    for (const row of this.#rows) {
      const meant: unknown = this.#asked(() => row.path?.(path));
      const identity = typeof meant === "string" ? identityFromPath(meant, endpointPath) : undefined;
      if (identity === undefined) continue;
      this.#use(request, row, path); // Not the query: some put their password there.
      return identity;
    }
    return undefined;
  }

  /** The password that is meant by one that was found wrong; `undefined` when there is none. [Q23] */
  passwordIn(request: IncomingMessage, password: Uint8Array): Uint8Array | undefined {
    for (const row of this.#rows) {
      const meant: unknown = this.#asked(() => row.password?.(password));
      if (!(meant instanceof Uint8Array)) continue;
      this.#use(request, row);
      return meant;
    }
    return undefined;
  }

  /** The subprotocol among those that are offered which means OCPP-J 1.6, as it is spelt; `undefined` when none does. [Q18] */
  subprotocolIn(request: IncomingMessage, offered: ReadonlySet<string>): string | undefined {
    for (const row of this.#rows) {
      const meant = [...offered].find((name) => this.#asked(() => row.means?.(name)) === true);
      if (meant === undefined) continue;
      this.#use(request, row, meant);
      return meant;
    }
    return undefined;
  }

  /** Whether a peer that names no subprotocol at all is spoken to: in a request none is offered, in an answer none chosen. [Q18] */
  forgivesSubprotocol(head: IncomingMessage): boolean {
    if (head.headers["sec-websocket-protocol"] !== undefined) return false;
    const row = this.#rows.find(({ subprotocol }) => subprotocol !== undefined);
    if (row !== undefined) this.#use(head, row);
    return row !== undefined;
  }

  /** What was forgiven of a handshake, by the request or the answer that was wrong. */
  usesIn(head: IncomingMessage): readonly Tolerated[] {
    return [...(this.#uses.get(head)?.values() ?? [])];
  }

  #asked<T>(ask: () => T): T | undefined {
    return asked("A quirk", ask, this.#fault);
  }

  #use(head: IncomingMessage, { name, id, forgives }: HandshakeQuirk, received?: string): void {
    const uses = this.#uses.get(head) ?? new Map<string, Tolerated>();
    const message = `The opening handshake has ${forgives}.`;
    uses.set(name, {
      quirk: name,
      id,
      path: "",
      message,
      ...(received !== undefined && { received: shortened(received) }),
    });
    this.#uses.set(head, uses);
  }
}
