import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

const { API_TOKEN: _, ...environment } = process.env;

/** A process of its own, with what it says. */
export class Process {
  /** Both outputs. */
  output = "";
  stdout = "";
  stderr = "";
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when it has ended, and nobody that it has started holds its outputs any more. */
  readonly exitCode: Promise<number | null>;
  #heard = (): void => {};

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = ".") {
    const child = spawn(command, args, {
      cwd: fileURLToPath(new URL(cwd, import.meta.url)),
      env: { ...environment, ...env },
    });
    this.child = child;
    running.add(this);
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        this[name] += text;
        this.output += text;
        this.#heard();
      });
    }
    this.exitCode = new Promise((resolve) => {
      child.once("close", (code) => {
        running.delete(this);
        this.#heard();
        resolve(code);
      });
    });
  }

  /** Resolves once it has said what is searched for; rejects when it ends without having said it. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      this.#heard = () => {
        const found = pattern.exec(this.output);
        if (found !== null) resolve(found);
        else if (!running.has(this)) reject(new Error(`It ended without saying ${pattern}:\n${this.output}`));
      };
      this.#heard();
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** A program of this folder. */
export class Program extends Process {
  constructor(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    super(process.execPath, ["--import", "tsx", file, ...args], env);
  }
}

const running = new Set<Process>();

afterEach(() => {
  for (const { child } of running) child.kill("SIGKILL");
});
