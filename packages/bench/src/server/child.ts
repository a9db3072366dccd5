import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What one process can be asked for by another. */
export type Orders = Readonly<Record<string, (given: never) => unknown>>;

/** Answers, in a process of its own, what the parent asks for. */
export function serveOrders(orders: Orders): void {
  process.on("message", async ({ order, given }: { order: string; given: never }) => {
    process.send?.({ answer: await orders[order]?.(given) });
  });
  process.on("disconnect", () => process.exit());
}

/** A process that does what it is asked, one thing after the other. */
export class Child<O extends Orders> {
  readonly #process: ChildProcess;

  constructor(program: string, args: readonly string[]) {
    this.#process = fork(program, args, { execArgv: ["--expose-gc", "--max-semi-space-size=16"] });
    this.#process.once("exit", (code) => {
      if (code !== null) throw new Error(`${program} has ended with ${code}.`);
    });
  }

  async order<Name extends keyof O & string>(
    order: Name,
    ...[given]: Parameters<O[Name]>
  ): Promise<Awaited<ReturnType<O[Name]>>> {
    this.#process.send({ order, given });
    const [{ answer }] = await once(this.#process, "message");
    return answer;
  }

  end(): void {
    this.#process.kill("SIGKILL");
  }
}
