import type { IncomingMessage } from "node:http";
import type { Clock } from "@ocppj/core";
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
  readonly options: EndpointOptions;
  readonly clock: Clock;
  readonly quirks: HandshakeQuirks;
  readonly fault: (identity: string, error: unknown) => void;
}

/** Decides who may come in: by the security profile and the application. */
export class Authentication {
  readonly #parts: AuthenticationParts;
  readonly #failures: FailedAttempts;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#failures = new FailedAttempts(parts.options.limits);
  }

  /** Says what a Charge Point was told to present from now on, see {@link FailedAttempts}. */
  told(identity: string, passwords: readonly Uint8Array[]): void {
    this.#failures.told(identity, passwords);
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
      if (!isObedience(error, signal)) fault(identity, error);
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
    const { clock, options, quirks } = this.#parts;
    const { authenticate = () => true } = options;
    // Each time a copy: who is careful wipes a password that he has looked at.
    const ask = (password: Uint8Array | undefined): unknown =>
      authenticate({ identity, ...shown, password: password && Uint8Array.from(password), request, signal });
    let decision = await ask(shown.password);
    const meant = decision === false && shown.password && quirks.passwordIn(request, shown.password);
    if (meant) decision = await ask(meant);
    const refusal = this.#refusalOf(decision, shown.password);
    if (decision === false || decision === "unknown-identity") attempt.failed(clock.now());
    if (refusal !== undefined) return { refusal };
    const context = contextOf(decision);
    attempt.succeeded();
    return { context };
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

/** Whether somebody failed because he was told to: with the reason of the signal, or as Node and `fetch` do. */
function isObedience(error: unknown, { aborted, reason }: AbortSignal): boolean {
  if (!aborted || error === reason) return aborted;
  try {
    const { name, cause } = error as Error;
    return name === "AbortError" || cause === reason;
  } catch {
    return false; // It cannot be looked at.
  }
}

const hasContext = (decision: unknown): decision is { readonly context: unknown } =>
  typeof decision === "object" && decision !== null && "context" in decision;

const contextOf = (decision: unknown): unknown => (hasContext(decision) ? decision.context : undefined);
