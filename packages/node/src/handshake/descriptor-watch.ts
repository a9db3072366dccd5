import { close, open, readFileSync } from "node:fs";
import { devNull } from "node:os";
import type { Clock } from "@ocppj/core";

/** How often it is tried whether there is a descriptor left, in milliseconds. */
const trialMs = 1000;

/** How long it is not told again, in milliseconds. */
const quietMs = 60_000;

/**
 * Finds out that the process is out of file descriptors. Nobody else does: the runtime then accepts connections and closes
 * them in silence, so that they do not wait for ever. Whoever is connected is served all the same, and once descriptors are
 * free, newcomers are again.
 */
export class DescriptorWatch {
  readonly #clock: Clock;
  readonly #connections: () => number;
  readonly #tell: (error: Error) => void;
  /** Read beforehand, because that takes a descriptor. */
  readonly #limit = descriptorLimit();
  #timer: NodeJS.Timeout | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isOut = false;

  /** @param connections - How many Charge Points are connected. */
  constructor(clock: Clock, connections: () => number, tell: (error: Error) => void) {
    this.#clock = clock;
    this.#connections = connections;
    this.#tell = tell;
  }

  /** Whether none was left at the last trial. */
  get isOut(): boolean {
    return this.#isOut;
  }

  /** Begins to try; on a timer of the runtime, which does not keep a process alive, and is nothing that is waited for. */
  start(): void {
    this.#timer = setInterval(() => this.#try(), trialMs).unref();
  }

  /** Takes what a server reports; whether it is that there are no descriptors, which is then told, if it has not just been. */
  failed(error: NodeJS.ErrnoException): boolean {
    if (error.code !== "EMFILE" && error.code !== "ENFILE") return false;
    this.#isOut = true;
    const now = this.#clock.now();
    if (now - this.#toldAt < quietMs) return true;
    this.#toldAt = now;
    const limit = this.#limit === undefined ? "" : ` The limit of open files is ${this.#limit}.`;
    const message =
      `No file descriptor is left, so connections are dropped as they come; ${this.#connections()} Charge Points are ` +
      `connected.${limit} Raise it with ulimit -n, or with LimitNOFILE in systemd, and keep maxConnections below it.`;
    this.#tell(new Error(message, { cause: error }));
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #try(): void {
    open(devNull, (error, descriptor) => {
      if (error !== null) {
        this.failed(error);
        return;
      }
      this.#isOut = false;
      close(descriptor);
    });
  }
}

/** How many descriptors the process may have, where the system tells. */
function descriptorLimit(): string | undefined {
  try {
    return /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
