import type { HardwareError } from "./hardware/hardware.ts";

/** What is wrong with a connector, or with the charger: faults, which prevent charging, and warnings, which do not. */
export class Errors {
  readonly #errors = new Map<string, { readonly error: HardwareError; readonly isFault: boolean }>();

  /** Whether it cannot be charged. */
  get hasFault(): boolean {
    return [...this.#errors.values()].some(({ isFault }) => isFault);
  }

  /** What is to be told: the first fault, else the first warning. */
  get told(): HardwareError {
    const all = [...this.#errors.values()];
    return (all.find(({ isFault }) => isFault) ?? all[0])?.error ?? { errorCode: "NoError" };
  }

  put(error: HardwareError, isFault: boolean): void {
    const name = nameOf(error);
    this.#errors.delete(name);
    this.#errors.set(name, { error, isFault });
  }

  /** @param error - Without one, all are gone. */
  remove(error: Pick<HardwareError, "errorCode" | "vendorErrorCode"> | undefined): void {
    if (error === undefined) this.#errors.clear();
    else this.#errors.delete(nameOf(error));
  }
}

const nameOf = ({ errorCode, vendorErrorCode = "" }: Pick<HardwareError, "errorCode" | "vendorErrorCode">): string =>
  `${errorCode} ${vendorErrorCode}`;
