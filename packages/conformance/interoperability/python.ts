import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const path = process.env.PYTHON ?? "/usr/bin/python3";

/**
 * The Python with the package `websockets`: `$PYTHON`, or that of Debian; `undefined` where there is none. Tests that need
 * it are declared with `describe.skipIf(python === undefined)`.
 */
export const python: string | undefined = spawnSync(path, ["-c", "import websockets"]).status === 0 ? path : undefined;

/** Runs once before the conformance tests: what is missing is said on a developer's machine and is a failure in CI. */
export function setup(): void {
  if (python !== undefined) return;
  const remedy = `no websockets for ${path}: apt-get install python3-websockets, or set PYTHON to a Python that has it`;
  if (process.env.CI) throw new Error(`Tests with Python cannot run: ${remedy}`);
  process.stderr.write(`Tests with Python are skipped: ${remedy}\n`);
}

/** One line that a program has printed. */
export interface Line {
  readonly port?: number;
  readonly connected?: string;
  readonly sent?: readonly unknown[];
  readonly received?: readonly unknown[];
  readonly failed?: string;
}

/** A program of the folder `python`, in a process of its own. */
export class PythonProgram {
  readonly lines: Line[] = [];
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** What it has printed that is not JSON, for example why it failed. */
  complaints = "";
  readonly #process: ChildProcess;
  #changed = (): void => {};

  constructor(script: "central_system.py" | "charge_point.py", ...args: readonly string[]) {
    const file = fileURLToPath(new URL(`python/${script}`, import.meta.url));
    const program = spawn(path, ["-W", "ignore", "-B", file, ...args], { stdio: "pipe" });
    this.#process = program;
    createInterface(program.stdout).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#changed();
    });
    program.stderr.on("data", (chunk) => {
      this.complaints += chunk;
    });
    this.ended = once(program, "close").then(([code]: (number | null)[]) => {
      this.#changed();
      return code ?? null;
    });
  }

  /** Resolves with the first line, from the one at `from` on, of which something can be made. */
  async said<T>(of: (line: Line) => T | undefined, from = 0): Promise<T> {
    for (let index = from; ; index++) {
      while (index >= this.lines.length) {
        if (this.#process.exitCode !== null) throw new Error(`It ended without saying so:\n${this.complaints}`);
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
      const found = of(this.lines[index] as Line);
      if (found !== undefined) return found;
    }
  }

  /** Lets a central system send a CALL, and resolves with the answer. */
  async call(action: string, payload: unknown): Promise<readonly unknown[]> {
    const from = this.lines.length;
    this.#process.stdin?.write(`${JSON.stringify([action, payload])}\n`);
    const id = await this.said(({ sent }) => (sent?.[0] === 2 ? sent[1] : undefined), from);
    return this.said(({ received }) => (received?.[1] === id ? received : undefined), from);
  }

  /** The CALLs that have arrived at it, or that it has sent: action and payload. */
  calls(direction: "received" | "sent"): (readonly [action: string, payload: Record<string, unknown>])[] {
    return this.lines
      .map((line) => line[direction])
      .filter((frame) => frame?.[0] === 2)
      .map((frame) => [frame?.[2] as string, frame?.[3] as Record<string, unknown>]);
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended;
  }
}
