import { checkServerIdentity } from "node:tls";
import { type Clock, type OptionRule, type OptionRules, optionRules, systemClock, takeOptions } from "@ocppj/core";
import { connectingTls, type TlsOptions } from "../tls/security-profile.ts";
import { allProtocols, type FileTransferProtocol } from "./location.ts";

/** How far a transfer has come. */
export interface TransferProgress {
  readonly direction: "download" | "upload";
  /** The location, without user, password and query. */
  readonly url: string;
  /** How many bytes of the file are there. */
  readonly bytes: number;
  /** How many it has; `undefined` where the server does not tell. */
  readonly total: number | undefined;
}

/** Settings of `fileTransfers`. */
export interface FileTransfersOptions {
  /**
   * Path of a folder for what is downloaded; it is made if there is none. One charger uses it. As a download begins, those of
   * before are removed from it.
   */
  readonly folder: string;
  /** What files may travel by. Default: all four. @spec errata 3.88 [FM-30] */
  readonly protocols?: readonly FileTransferProtocol[] | undefined;
  /**
   * Whom HTTPS and FTPS trust, as for `connect`: `ca`, and `cert` and `key` for servers that ask for them. A function is asked
   * at each transfer, so that new certificates take effect. Default: the authorities that Node trusts.
   */
  readonly tls?: TlsOptions | (() => TlsOptions) | undefined;
  /** How many bytes a download may have. Default 1 GiB. */
  readonly maxBytes?: number | undefined;
  /** How many milliseconds a transfer may take, all in all. Default 14 400 000, four hours. */
  readonly timeoutMs?: number | undefined;
  /**
   * How many milliseconds may pass without a byte. What the operating system has taken of an upload counts as gone, so a slow
   * line may need more. Default 60 000.
   */
  readonly idleTimeoutMs?: number | undefined;
  /** Told how far a transfer has come, after each piece of it. What it throws is ignored. Default: nobody is told. */
  readonly progress?: ((progress: TransferProgress) => void) | undefined;
  /** Default: that of the runtime. */
  readonly clock?: Clock | undefined;
}

const tlsOrFunction: OptionRule = {
  give: "an object with cert, key, ca, or a function that returns one",
  takes: (tls) => typeof tls === "function" || (typeof tls === "object" && tls !== null),
};

const rules: OptionRules<FileTransfersOptions> = {
  folder: optionRules.required({
    give: "the path of a folder",
    takes: (path) => typeof path === "string" && path !== "",
  }),
  protocols: {
    give: `a list of ${allProtocols.join(", ")}`,
    takes: (list) => Array.isArray(list) && list.length > 0 && list.every((entry) => allProtocols.includes(entry)),
  },
  tls: tlsOrFunction,
  maxBytes: optionRules.whole(1),
  timeoutMs: optionRules.milliseconds,
  idleTimeoutMs: optionRules.milliseconds,
  progress: optionRules.callback,
  clock: optionRules.clock,
};

export type TransferSettings = ReturnType<typeof takeSettings>;

/** @throws TypeError One of the options is not what it may be, or there is no such option. */
export function takeSettings(options: FileTransfersOptions) {
  const taken = takeOptions("fileTransfers", options, rules);
  return {
    protocols: allProtocols,
    maxBytes: 1024 ** 3,
    timeoutMs: 4 * 60 * 60 * 1000,
    idleTimeoutMs: 60_000,
    progress: () => {},
    clock: systemClock,
    ...taken,
    tls: tlsOf(taken.tls ?? {}),
  };
}

/** How TLS is done, whenever it is asked. */
function tlsOf(given: TlsOptions | (() => TlsOptions)) {
  // The leniency about names is for Central Systems only.
  const read = (tls: TlsOptions) => ({ ...connectingTls(0, tls), checkServerIdentity });
  if (typeof given === "function") return () => read(given());
  const tls = read(given);
  return () => tls;
}
