import type { Conf, Req } from "@ocppj/core";
import type { Reading } from "./reading.ts";

/** What is wrong with a connector, or with number 0 with the charger: as StatusNotification tells it. */
export type HardwareError = Pick<Req<"StatusNotification">, "errorCode" | "info" | "vendorId" | "vendorErrorCode">;

/** What a connector offers to a vehicle: the contactor is closed, and no more may be drawn than this. */
export interface Offer {
  /** Per phase, in A. */
  readonly A: number;
  /** Of all phases together, in W. */
  readonly W: number;
  /** How many phases may be used. */
  readonly phases: number;
}

/** What a connector is. */
export interface ConnectorHardware {
  /** The most that it can offer: `A` is per phase, `W` of all phases together. */
  readonly maximum: { readonly limit: number; readonly unit: "A" | "W" };
  /** How many phases it has. Default 3. */
  readonly phases?: 1 | 2 | 3 | undefined;
  /** `fixed`: its cable cannot be taken off at this end. Default `socket`. */
  readonly cable?: "socket" | "fixed" | undefined;
  /** What its meter can tell. Default: nothing. */
  readonly measurands?: readonly (keyof Reading)[] | undefined;
  /** Whether a transaction may go on after a power cut, if the cable is still there. Default: it is stopped. */
  readonly resumesAfterPowerLoss?: boolean | undefined;
  /** Whether a transaction may go on after a fault. Default: it is stopped. */
  readonly resumesAfterFault?: boolean | undefined;
}

/** From when and until when diagnostics are wanted; open where nothing is said. */
export interface DiagnosticsRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** A file with diagnostics. */
export interface DiagnosticsFile {
  /** Where it is, or what is in it: what `upload` is given. */
  readonly file: string | Uint8Array;
  /** What the Central System is to call it: at most 255 characters, no folders. */
  readonly fileName: string;
}

/** Who has signed firmware. */
export interface FirmwareSigner {
  /** Of the whole file, in Base64. */
  readonly signature: string;
  /** With whose key it was made, in PEM. It was checked against the roots of the manufacturer. */
  readonly signingCertificate: string;
}

/** How an installation has ended. */
export type Installation = "installed" | "restart";

/** How an attempt to unlock has ended. */
export type Unlocking = Conf<"UnlockConnector">["status"];

/**
 * The hardware of a charger: the only thing that a maker has to write.
 *
 * Its methods may take their time, up to {@link ChargerOptions.hardwareTimeoutMs}; `install` as long as it takes, and `verify` ten minutes. One that
 * throws, rejects or takes longer is a `fault`, and leaves the connector without energy.
 */
export interface Hardware {
  /** Its connectors: the first has number 1. */
  readonly connectors: readonly ConnectorHardware[];
  /** What the main meter can tell. Default: there is none. */
  readonly mainMeasurands?: readonly (keyof Reading)[] | undefined;
  /**
   * Says who is to be told. At once, or until the promise resolves, it is told what is the case: what is plugged in, what
   * is broken, what the meters show. Called once for each start of a charger; only the latest is told.
   */
  listen(listener: HardwareListener): void | PromiseLike<void>;
  /**
   * Closes the contactor of a connector and lets no more be drawn than this, or, without an offer, opens it. Done when it
   * resolves. A new call may come before: the latest counts.
   */
  offer(connectorId: number, offer: Offer | undefined): void | PromiseLike<void>;
  /** Holds the cable of a connector. Rejects when the lock does not close. Absent: there are no locks. */
  lock?(connectorId: number): void | PromiseLike<void>;
  /** Lets the cable of a connector go. Absent: there are no locks, which is answered with `NotSupported`. */
  unlock?(connectorId: number): Unlocking | PromiseLike<Unlocking>;
  /**
   * Installs the firmware in a file that was fetched. `restart`: it is in use after a restart only, which then follows. Rejects
   * when it is no firmware, or cannot be installed. Absent: updates are not supported.
   */
  install?(file: string): Installation | PromiseLike<Installation>;
  /**
   * Whether firmware in a file that was fetched is what was signed, where your hardware has a part for that; it may take its
   * time. Absent: the file transfers say. [SEC-L01-04]
   */
  verify?(file: string, by: FirmwareSigner): boolean | PromiseLike<boolean>;
  /** After a restart in an installation: whether the new firmware runs. Absent: it does if `firmwareVersion` is another. */
  isInstalled?(): boolean | PromiseLike<boolean>;
  /**
   * Makes a file with diagnostics of a time, in milliseconds since the epoch. Absent, or `undefined`: there are none.
   */
  diagnostics?(range: DiagnosticsRange): DiagnosticsFile | undefined | PromiseLike<DiagnosticsFile | undefined>;
  /** Restarts: `Soft` the program, `Hard` everything. All that has to survive is in the store. */
  reboot(kind: "Soft" | "Hard"): void | PromiseLike<void>;
}

/** What hardware tells. Connector 0 is the charger itself. Whatever is told never throws. */
export interface HardwareListener {
  /** A cable was plugged in at this end; a fixed one, into a vehicle. */
  plugged(connectorId: number): void;
  /** It was pulled out: at this end, or with `vehicle` at that of the vehicle. Default `charge-point`. */
  unplugged(connectorId: number, end?: "charge-point" | "vehicle"): void;
  /** A card was held to the reader of a connector, or of the charger, which is not for one connector in particular. */
  presented(idTag: string, connectorId?: number): void;
  /** The button of a connector was pressed. */
  pressed(button: "start" | "stop", connectorId: number): void;
  /** Whether the vehicle asks for energy (mode 3: S2 is closed). Until it is told, it does. */
  wantsEnergy(connectorId: number, wants: boolean): void;
  /** Something is broken, so that nothing can be charged. Errors are told apart by `errorCode` and `vendorErrorCode`. */
  faulted(connectorId: number, error: HardwareError): void;
  /** Something is not as it should be, but it can be charged. */
  warned(connectorId: number, error: HardwareError): void;
  /** An error is gone; without one, all of the connector are. */
  mended(connectorId: number, error?: Pick<HardwareError, "errorCode" | "vendorErrorCode">): void;
  /** The emergency button was pressed, or with `false` released. */
  emergencyStop(pressed: boolean): void;
  /** What the meter of a connector shows, of all measurands at one moment. Tell it at least every second that counts. */
  measured(connectorId: number, reading: Reading): void;
  /** Somebody has opened the housing, or what else a sensor notices. Without `security` nobody hears of it. */
  tampered(techInfo?: string): void;
  /** A limit of energy or time that the driver has set is reached. */
  limitReached(connectorId: number): void;
}
