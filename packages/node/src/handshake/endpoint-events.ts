import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { CentralSystem, ExpiringCertificate, HandshakeRefusal, Tolerated } from "@ocppj/core";
import { expiryOf } from "../tls/certificate-ends.ts";
import { CrowdedAddresses } from "./crowded-addresses.ts";
import type { Concerned } from "./peer-address.ts";
import { answerTo } from "./refusal-answer.ts";
import { type Refusal, refusalOfIdentity } from "./refusals.ts";

/** What an endpoint tells the Central System of that has no connection yet. */
export class EndpointEvents {
  readonly #centralSystem: CentralSystem;
  readonly #crowds = new CrowdedAddresses();

  constructor(centralSystem: CentralSystem) {
    this.#centralSystem = centralSystem;
  }

  /** Answers a handshake that is refused, and reports it. */
  refuse(socket: Duplex, refusal: Refusal, peer: Concerned): void {
    socket.end(answerTo(refusal), () => socket.destroy());
    this.refused(refusal, peer);
  }

  /** Reports that a handshake was refused, by whomever. */
  refused({ reason, status, message, advice }: Refusal, concerned: Concerned): void {
    const event = { ...shown(concerned), reason, message, advice, ...(status !== undefined && { status }) };
    this.#centralSystem.emit("refused", event);
    const isLimit = reason === "address-limit" || reason === "guessing";
    const crowd = isLimit ? this.#crowds.refused(concerned) : undefined;
    if (crowd !== undefined) this.fault(undefined, crowd);
  }

  tolerated(uses: readonly Tolerated[], identity: string): void {
    for (const use of uses) this.#centralSystem.emit("tolerated", { ...use, identity });
  }

  /** Where nobody listens to this it is a fault: that it becomes one is only a question of time. */
  expiring(event: ExpiringCertificate): void {
    if (!this.#centralSystem.emit("expiring", event)) this.fault(event.identity, new Error(expiryOf(event)));
  }

  fault(identity: string | undefined, error: unknown): void {
    this.#centralSystem.emit("fault", { ...shown({ identity }), error });
  }
}

/** What an event says of whom it concerns: an identity that cannot be one is not told, whoever sends it. [trap 1] */
function shown({ identity, remoteAddress }: Concerned): Pick<HandshakeRefusal, "identity" | "remoteAddress"> {
  const isFit = identity !== undefined && refusalOfIdentity(identity, "") === undefined;
  return { ...(isFit && { identity }), ...(remoteAddress !== undefined && { remoteAddress }) };
}

export function addressOf(socket: Duplex): Pick<Concerned, "remoteAddress"> {
  const { remoteAddress } = socket as Partial<Socket>;
  return remoteAddress === undefined ? {} : { remoteAddress };
}
