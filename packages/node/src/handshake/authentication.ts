import type { IncomingMessage } from "node:http";
import type { CentralSystem, Clock } from "@ocppj/core";
import { basicCredentials, passwordOf } from "./basic-authorization.ts";
import type { EndpointOptions } from "./endpoint-options.ts";
import { type Attempt, FailedAttempts } from "./failed-attempts.ts";
import type { HandshakeQuirks } from "./handshake-quirks.ts";
import { certificateOf, otherCertificate, refusalOfProfile } from "./profile-refusals.ts";
import {
  busy,
  faulty,
  guessing,
  noCredentials,
  otherUser,
  type Refusal,
  unknownIdentity,
  wrongPassword,
} from "./refusals.ts";

/** What was decided on a handshake. */
export type Verdict = { readonly refusal: Refusal } | { readonly context: unknown };

/** Who asks to be let in, and from where. */
export interface Applicant {
  readonly request: IncomingMessage;
  readonly identity: string;
  /** What limits of one address count by. */
  readonly network: string | undefined;
  /** Aborts when nobody waits for the verdict any more. */
  readonly signal: AbortSignal;
}

/** What an {@link Authentication} is made of. */
interface AuthenticationParts {
  readonly centralSystem: CentralSystem;
  readonly options: EndpointOptions;
  readonly clock: Clock;
  readonly quirks: HandshakeQuirks;
  readonly fault: (identity: string, error: unknown) => void;
}

/** Decides who may come in: by the security profile, the application, and what the Central System knows. */
export class Authentication {
  readonly #parts: AuthenticationParts;
  readonly #failures: FailedAttempts;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#failures = new FailedAttempts(parts.options.limits);
  }

  /** Never rejects: whatever the application's hook does, there is an answer. [trap 2] */
  async of(applicant: Applicant): Promise<Verdict> {
    const { identity, network, request, signal } = applicant;
    const { clock, fault, options } = this.#parts;
    const credentials = basicCredentials(request.headers.authorization);
    const password = credentials === undefined ? undefined : passwordOf(identity, credentials);
    // SEC-A00-204: the user name is the identity, so there is nothing to ask about another one.
    if (credentials !== undefined && password === undefined) return { refusal: otherUser };
    const otherProfile = refusalOfProfile(options.securityProfile ?? 0, request.socket, password);
    if (otherProfile !== undefined) return { refusal: otherProfile };
    const certificate = certificateOf(request.socket);
    const attempt = this.#failures.begin({ identity, password, certificate }, network, clock.now());
    if (attempt === undefined) return { refusal: guessing };
    signal.addEventListener("abort", () => attempt.forget(), { once: true });
    try {
      return await this.#ask(applicant, { password, certificate }, attempt);
    } catch (error) {
      if (error !== signal.reason || !signal.aborted) fault(identity, error);
      return { refusal: faulty };
    } finally {
      attempt.forget(); // Where it has neither succeeded nor failed.
    }
  }

  async #ask(
    { identity, request, signal }: Applicant,
    shown: Pick<Parameters<FailedAttempts["begin"]>[0], "password" | "certificate">,
    attempt: Attempt,
  ): Promise<Verdict> {
    const { centralSystem, clock, options, quirks } = this.#parts;
    const { authenticate = () => true } = options;
    const asked = { identity, ...shown, request, signal };
    let decision: unknown = await authenticate(asked);
    const meant = decision === false && shown.password && quirks.passwordIn(request, shown.password);
    if (meant) decision = await authenticate({ ...asked, password: meant });
    const refusal = this.#refusalOf(decision, shown.password);
    if (decision === false || decision === "unknown-identity") attempt.failed(clock.now());
    if (refusal !== undefined) return { refusal };
    const context = contextOf(decision);
    attempt.succeeded();
    const unwanted = await centralSystem.admit(identity, signal);
    return unwanted === undefined ? { context } : { refusal: unwanted };
  }

  /** @throws TypeError It is no decision. */
  #refusalOf(decision: unknown, password: Uint8Array | undefined): Refusal | undefined {
    if (decision === true || hasContext(decision)) return undefined;
    if (decision === false && this.#parts.options.securityProfile === 3) return otherCertificate;
    if (decision === false) return password === undefined ? noCredentials : wrongPassword;
    if (decision === "unknown-identity") return unknownIdentity;
    if (decision === "busy") return busy;
    throw new TypeError(
      `authenticate answered ${String(decision)}. Answer true, false, "unknown-identity", "busy" or { context }.`,
    );
  }
}

const hasContext = (decision: unknown): decision is { readonly context: unknown } =>
  typeof decision === "object" && decision !== null && "context" in decision;

const contextOf = (decision: unknown): unknown => (hasContext(decision) ? decision.context : undefined);
