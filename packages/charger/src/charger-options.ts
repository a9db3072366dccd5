import {
  type ChargePointOptions,
  type ConfigurationKey,
  type ConfigurationValue,
  type Credential,
  type Limit,
  type OptionRules,
  optionRules,
  type RecordStore,
  type RetryBackOff,
  takeOptions,
  type VendorKeys,
  type VendorMessages,
} from "@ocppj/core";
import type { Certificates } from "./certificates/certificates.ts";
import type { OpenConnection } from "./certificates/connecting.ts";
import type { FirmwareManagement } from "./firmware-management.ts";
import type { ConnectorHardware, Hardware } from "./hardware/hardware.ts";
import type { SecurityWhitePaper } from "./security/security-white-paper.ts";

type OfChargePoint = Pick<
  ChargePointOptions,
  "identity" | "url" | "boot" | "tolerate" | "maxQueuedMessages" | "clock" | "random"
>;

/** Settings of a `Charger`. */
export interface ChargerOptions extends OfChargePoint, RetryBackOff {
  readonly hardware: Hardware;
  /**
   * Opens a WebSocket with a credential: `connect` of `@ocppj/node`, or `() => connect()` with that of `@ocppj/browser`. With
   * `certificates`, the second parameter says which of them to use: `(credential, tls) => connect({ ...credential, tls })`.
   */
  readonly connect: OpenConnection;
  /** Where everything is that must survive a power cut. */
  readonly store: RecordStore;
  /** With what it connects, until the Central System changes its AuthorizationKey. Default: without anything. */
  readonly credential?: Credential | undefined;
  /**
   * The initial values of configuration keys, where they are to be others than the default ones; those that follow from the
   * hardware cannot be given. What the Central System has changed since is kept.
   */
  readonly configuration?: { readonly [K in ConfigurationKey]?: ConfigurationValue<K> | undefined } | undefined;
  /** Keys of the maker's own. Default: none. */
  readonly vendorKeys?: VendorKeys | undefined;
  /** The DataTransfers that it understands. Default: none, each is answered with UnknownVendorId. */
  readonly vendorMessages?: VendorMessages<"ChargePoint"> | undefined;
  /**
   * `firmwareManagement(transfers)`: how firmware is fetched, and diagnostics and logs are delivered. Default: not at all, the
   * profile FirmwareManagement is not supported.
   */
  readonly firmwareManagement?: FirmwareManagement | undefined;
  /**
   * What it does of the security white paper: `security()`. Default: nothing, its messages are answered with NotImplemented
   * or NotSupported.
   */
  readonly security?: SecurityWhitePaper | undefined;
  /**
   * Its certificates, and how they are replaced: what `certificates` makes. Default: it knows nothing of certificates, and
   * `connect` is given none.
   */
  readonly certificates?: Certificates | undefined;
  /** What the charger as a whole can draw, where that is less than its connectors could together. */
  readonly maximum?: Limit | undefined;
  /** Between a phase and neutral, nominal, in V. Default 230. */
  readonly voltage?: number | undefined;
  /**
   * What becomes of a RemoteStartTransaction without a connector: `plugged` takes one that a vehicle is plugged into, else
   * one that is free; `first` the first that is free; `refuse` none. Default `plugged`.
   */
  readonly remoteStartChooses?: "plugged" | "first" | "refuse" | undefined;
  /** Whose identifier the start button of a connector presents. Default: nobody's, the button does nothing. */
  readonly startButtonIdTag?: string | undefined;
  /** The shortest status that is told, in seconds; MinimumStatusDuration comes on top. Default 0. [CORE-STAT-08] */
  readonly minimumStatusSeconds?: number | undefined;
  /**
   * How often the last reading of a transaction is written down for the case of a power cut, in seconds: each is a write of
   * flash, and what was drawn since the last one is known only from the meter. Default 300.
   */
  readonly keepReadingSeconds?: number | undefined;
  /** How long one that shares the power with others pauses, in seconds, where it does not suffice for all. Default 900. */
  readonly pauseSeconds?: number | undefined;
  /** The longest message, in bytes: transactionData are thinned out until they fit. Default 60 000. */
  readonly maxMessageBytes?: number | undefined;
  /** How long a method of the hardware may take, in milliseconds. Default 10 000. */
  readonly hardwareTimeoutMs?: number | undefined;
  /** How long a reset waits until what was stopped for it is delivered, in milliseconds. Default 10 000. */
  readonly resetTimeoutMs?: number | undefined;
}

const { callback, flag, milliseconds, number, object, oneOf, required, text, whole } = optionRules;
const seconds = /* @__PURE__ */ number("a number of seconds from 0 on", 0);

const rules: OptionRules<ChargerOptions> = {
  hardware: required(object("your hardware", "listen", "offer", "reboot")),
  identity: required(text),
  url: required(text),
  boot: required(object("the payload of BootNotification")),
  connect: required(callback),
  store: required(optionRules.store),
  credential: { ...object("a credential, for example { securityProfile: 0 }"), secret: true },
  configuration: object("values of configuration keys"),
  vendorKeys: object("the keys of your own"),
  vendorMessages: object("VendorMessages", "answer"),
  firmwareManagement: object("what firmwareManagement() returns", "open", "read"),
  security: object("what security() returns", "load"),
  certificates: object("what `certificates` makes", "open"),
  maximum: object('a limit, for example { limit: 32, unit: "A" }'),
  voltage: number("a voltage", 1),
  remoteStartChooses: oneOf("plugged", "first", "refuse"),
  startButtonIdTag: {
    give: "an identifier of 1 to 20 characters",
    takes: (value) => typeof value === "string" && value.length >= 1 && value.length <= 20,
  },
  minimumStatusSeconds: seconds,
  keepReadingSeconds: seconds,
  pauseSeconds: number("a number of seconds from 1 on", 1),
  maxMessageBytes: whole(2000),
  hardwareTimeoutMs: milliseconds,
  resetTimeoutMs: milliseconds,
  tolerate: optionRules.quirks,
  maxQueuedMessages: whole(2),
  clock: optionRules.clock,
  random: callback,
  retryBackOffWaitMinimum: seconds,
  retryBackOffRepeatTimes: whole(0),
  retryBackOffRandomRange: seconds,
};

const isLimit = (value: unknown): boolean => {
  const { limit, unit } = (value ?? {}) as Partial<Limit>;
  return Number.isFinite(limit) && (limit as number) > 0 && (unit === "A" || unit === "W");
};

const connectorRules: OptionRules<ConnectorHardware> = {
  maximum: required({ give: 'a limit above 0, for example { limit: 32, unit: "A" }', takes: isLimit }),
  phases: oneOf(1, 2, 3),
  cable: oneOf("socket", "fixed"),
  measurands: { give: "a list of measurands", takes: Array.isArray },
  resumesAfterPowerLoss: flag,
  resumesAfterFault: flag,
};

/** What a maker's objects have besides is the maker's. @throws TypeError A connector is not what it may be. */
function checkConnectors({ connectors, lock, unlock }: Hardware): void {
  if (!Array.isArray(connectors) || connectors.length === 0) {
    throw new TypeError("hardware.connectors is no list of connectors. Give one with at least one.");
  }
  const names = Object.keys(connectorRules) as (keyof ConnectorHardware)[];
  for (const [index, connector] of connectors.entries()) {
    const known = Object.fromEntries(names.map((name) => [name, connector?.[name]]));
    takeOptions(`hardware.connectors[${index}]`, known as unknown as ConnectorHardware, connectorRules);
  }
  if (typeof lock === "function" && typeof unlock !== "function") {
    throw new TypeError("hardware has lock, but no unlock: cables would never be let go. Give both, or none.");
  }
}

/** @throws TypeError One of the options is not what it may be, or there is no such option. */
export const takeChargerOptions = (options: ChargerOptions): ChargerOptions => {
  const taken = takeOptions("Charger", options, rules);
  checkConnectors(taken.hardware);
  return taken;
};
