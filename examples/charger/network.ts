import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { type Connect, HandshakeError, type Transport } from "@ocppj/core";

/** What makes the TCP connections, as `connect` of `@ocppj/node` takes it. */
interface NetworkSettings {
  readonly network: { readonly agent: HttpAgent };
}

/** The network between a charger and the world, with a plug that can be pulled out. */
export class Network {
  on = true;
  readonly #agent: HttpAgent;
  readonly #sockets = new Set<Duplex>();
  #end = (_code: number, _reason: string): void => {};

  constructor(url: string) {
    const agent = url.startsWith("wss:") ? new HttpsAgent({ maxCachedSessions: 0 }) : new HttpAgent();
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (...args) => {
      const socket = create(...args);
      if (socket) this.#sockets.add(socket.once("close", () => this.#sockets.delete(socket)));
      return socket;
    };
    this.#agent = agent;
  }

  /** Opens connections over this network. */
  over(connectOver: (network: NetworkSettings["network"]) => Connect): Connect {
    const connect = connectOver({ agent: this.#agent });
    return async (target) => {
      if (!this.on) throw new HandshakeError("network", "The network plug is out.", { url: target.url });
      try {
        return this.#cuttable(await connect(target));
      } catch (error) {
        if (this.on) throw error;
        throw new HandshakeError("network", "The network plug was pulled out.", { url: target.url });
      }
    };
  }

  /** Pulled out, what is under way is lost on both sides; nobody says goodbye. */
  switch(on: boolean): void {
    this.on = on;
    if (on) return;
    for (const socket of this.#sockets) socket.destroy();
    this.#end(1006, ""); // At once: what is sent from now on does not count as sent.
  }

  #cuttable(transport: Transport): Transport {
    let open = true;
    return {
      remoteAddress: transport.remoteAddress,
      channel: transport.channel,
      tolerated: transport.tolerated,
      listen: (listener) => {
        const end = (code: number, reason: string): void => {
          if (open) listener.close(code, reason);
          open = false;
        };
        this.#end = end;
        transport.listen({ ...listener, message: (text) => open && listener.message(text), close: end });
      },
      send: (text) => transport.send(text),
      close: (code, reason) => transport.close(code, reason),
    };
  }
}
