import type { HardwareError } from "./hardware/hardware.ts";

/** Who says that something is wrong, and so is the only one who can say that it is not any more. */
export type ErrorSource = "hardware" | "emergency" | "contactor" | "lock" | "reset";

interface Told {
  readonly source: ErrorSource;
  readonly error: HardwareError;
  readonly isFault: boolean;
}

/** What is wrong with a connector, or with the charger: faults, which prevent charging, and warnings, which do not. */
export class Errors {
  #errors: readonly Told[] = [];

  /** Whether it cannot be charged. */
  get hasFault(): boolean {
    return this.#errors.some(({ isFault }) => isFault);
  }

  /** What is to be told: the first fault, else the first warning. */
  get told(): HardwareError {
    return (this.#errors.find(({ isFault }) => isFault) ?? this.#errors[0])?.error ?? { errorCode: "NoError" };
  }

  put(error: HardwareError, isFault: boolean, source: ErrorSource = "hardware"): void {
    this.remove(error, source);
    this.#errors = [...this.#errors, { source, error, isFault }];
  }

  /** @param error - Without one, all of that source are gone. */
  remove(
    error: Pick<HardwareError, "errorCode" | "vendorErrorCode"> | undefined,
    source: ErrorSource = "hardware",
  ): void {
    const isGone = (each: Told): boolean =>
      each.source === source && (error === undefined || nameOf(each.error) === nameOf(error));
    this.#errors = this.#errors.filter((each) => !isGone(each));
  }
}

const nameOf = ({ errorCode, vendorErrorCode = "" }: Pick<HardwareError, "errorCode" | "vendorErrorCode">): string =>
  `${errorCode} ${vendorErrorCode}`;
