import type { AuthorizationKeys } from "../authorization/authorize.ts";
import type { TransactionMessageKeys } from "../delivery/delivery-queue.ts";
import type { Configuration } from "./configuration.ts";
import { configurationKeys } from "./configuration-keys.ts";

/** The configuration keys that a Charge Point obeys: those of its configuration, or the defaults without one. */
export class ObeyedKeys {
  readonly #configuration: Pick<Configuration, "get" | "listen"> | undefined;

  constructor(configuration: Pick<Configuration, "get" | "listen"> | undefined) {
    this.#configuration = configuration;
  }

  /** HeartbeatInterval, in milliseconds. */
  get heartbeatMs(): number {
    return 1000 * this.#integer("HeartbeatInterval");
  }

  /** MessageTimeout, in milliseconds. [J-104] */
  get messageTimeoutMs(): number {
    return 1000 * this.#integer("MessageTimeout");
  }

  /** TransactionMessageAttempts and TransactionMessageRetryInterval. [CORE-TXQ-07] */
  get transactionMessage(): TransactionMessageKeys {
    return {
      attempts: this.#integer("TransactionMessageAttempts"),
      retryIntervalMs: 1000 * this.#integer("TransactionMessageRetryInterval"),
    };
  }

  /** Without a configuration, the list and the cache count because they are there. */
  get authorization(): AuthorizationKeys {
    const configuration = this.#configuration;
    return {
      LocalAuthorizeOffline:
        configuration?.get("LocalAuthorizeOffline") ?? configurationKeys.LocalAuthorizeOffline.default,
      LocalPreAuthorize: configuration?.get("LocalPreAuthorize") ?? configurationKeys.LocalPreAuthorize.default,
      AllowOfflineTxForUnknownId: configuration?.get("AllowOfflineTxForUnknownId"),
      AuthorizationCacheEnabled: configuration === undefined || configuration.get("AuthorizationCacheEnabled"),
      LocalAuthListEnabled: configuration === undefined || configuration.get("LocalAuthListEnabled"),
    };
  }

  /** Tells when HeartbeatInterval, or one of the keys of transaction-related messages, is changed. [CORE-HB-08] */
  listen(changed: { readonly heartbeat: () => void; readonly transactionMessage: () => void }): void {
    this.#configuration?.listen("HeartbeatInterval", changed.heartbeat);
    this.#configuration?.listen("TransactionMessageAttempts", changed.transactionMessage);
    this.#configuration?.listen("TransactionMessageRetryInterval", changed.transactionMessage);
  }

  #integer(key: IntegerKey): number {
    return this.#configuration?.get(key) ?? configurationKeys[key].default;
  }
}

type IntegerKey =
  | "HeartbeatInterval"
  | "MessageTimeout"
  | "TransactionMessageAttempts"
  | "TransactionMessageRetryInterval";
