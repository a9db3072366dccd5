import { memoryStore, type RecordStore } from "@ocppj/core";

/** A disk whose power fails at its nth write, which may be on it all the same; nothing is answered after that. */
export function failingAt(
  nth: number,
  isKept: boolean,
): { readonly store: RecordStore; readonly disk: RecordStore; readonly isCut: () => boolean } {
  const disk = memoryStore();
  let left = nth;
  const write = async (act: () => Promise<void>): Promise<void> => {
    left--;
    if (left > 0 || (left === 0 && isKept)) await act();
    if (left <= 0) return new Promise(() => {});
  };
  return {
    disk,
    isCut: () => left <= 0,
    store: {
      load: (prefix) => disk.load(prefix),
      put: (key, value) => write(() => disk.put(key, value)),
      delete: (key) => write(() => disk.delete(key)),
      close: async () => {},
    },
  };
}

/** A store that takes writes, refuses them, or does not answer: then it does them once it works again, in their order. */
export class FickleStore implements RecordStore {
  readonly disk = memoryStore();
  #mood: "takes" | "refuses" | "hangs" = "takes";
  #waiting: (() => Promise<void>)[] = [];
  /** Resolves once what waited is done: writes take effect in the order of their calls. */
  #caughtUp: Promise<void> = Promise.resolve();
  /** How many writes it was asked for. */
  asked = 0;

  becomes(mood: "takes" | "refuses" | "hangs"): Promise<void> {
    this.#mood = mood;
    const waiting = mood === "hangs" ? [] : this.#waiting.splice(0);
    this.#caughtUp = waiting.reduce((done, write) => done.then(write), this.#caughtUp);
    return this.#caughtUp;
  }

  load(prefix: string): ReturnType<RecordStore["load"]> {
    return this.disk.load(prefix);
  }

  put(key: string, value: string): Promise<void> {
    return this.#write(() => this.disk.put(key, value));
  }

  delete(key: string): Promise<void> {
    return this.#write(() => this.disk.delete(key));
  }

  async close(): Promise<void> {}

  async #write(act: () => Promise<void>): Promise<void> {
    this.asked += 1;
    if (this.#mood === "refuses") throw new Error("The disk is full.");
    if (this.#mood === "takes") return this.#caughtUp.then(act);
    return new Promise((resolve) => this.#waiting.push(() => act().then(resolve)));
  }
}

/** Whether something has ended once everything that can go on has. */
export const hasEnded = async (turn: Promise<unknown>): Promise<boolean> =>
  (await Promise.race([turn.then(() => true), new Promise((end) => setImmediate(end, false))])) === true;
