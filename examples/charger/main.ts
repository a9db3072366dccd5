/*
 * A charger to be driven from the keyboard, or by a script:
 *
 *   npx pnpm@10.34.8 --filter ./examples --silent charger ws://127.0.0.1:9000/ocpp
 *   … --identity CP001 --store ./charger-store --script "until Accepted, plug 1, tag 1 04E91C5A, until StartTransaction"
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emitKeypressEvents } from "node:readline";
import { parseArgs } from "node:util";
import { connect, durableStore } from "@ocppj/node";
import { messageOf } from "../check.ts";
import { complain } from "../timeline.ts";
import { Charger } from "./charger.ts";
import { Screen } from "./screen.ts";

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      identity: { type: "string", default: "CP001" },
      store: { type: "string" },
      script: { type: "string" },
    },
  });
  const [url = "ws://127.0.0.1:9000/ocpp"] = positionals;
  const location = values.store ?? mkdtempSync(join(tmpdir(), "ocppj-charger-"));
  const live = values.script === undefined && process.stdout.isTTY && process.stdin.isTTY;
  const screen = new Screen(live);

  const start = (): Promise<Charger> =>
    Charger.start({
      identity: values.identity,
      url,
      connect: connect(),
      store: durableStore(location),
      changed: (line) => screen.log(line),
      restart: () => void restart().catch(fail),
    });
  let charger = await start();
  let sampledAt = Date.now();
  const draw = (): void => screen.draw(charger);
  const meter = setInterval(() => {
    charger.elapse(1);
    const intervalMs = 1000 * charger.configuration.get("MeterValueSampleInterval");
    if (intervalMs > 0 && Date.now() - sampledAt >= intervalMs) {
      sampledAt = Date.now();
      charger.sample();
    }
    draw();
  }, 1000);

  async function restart(): Promise<void> {
    screen.log("restarting");
    await charger.stop();
    charger = await start();
  }

  let quitting = false;
  async function quit(): Promise<void> {
    if (quitting) process.exit(1); // Whoever asks twice does not want to wait for the peer's goodbye.
    quitting = true;
    clearInterval(meter);
    screen.log("stopping");
    draw();
    await charger.stop();
    process.stdin.pause();
    if (live) process.once("exit", () => console.log(`The store is in ${location}: go on with it with --store.`));
  }

  if (values.script !== undefined) {
    await follow(values.script, () => charger, screen);
    await quit();
    return;
  }
  const actions: Record<string, () => unknown> = {
    1: () => (screen.selected = 1),
    2: () => (screen.selected = 2),
    p: () => charger.plug(screen.selected),
    u: () => charger.unplug(screen.selected),
    t: () => charger.present(screen.selected, "04E91C5A"),
    x: () => charger.present(screen.selected, "UNKNOWN"),
    f: () => charger.fault(screen.selected),
    n: () => charger.network(!charger.networkOn),
    q: quit,
  };
  emitKeypressEvents(process.stdin);
  if (live) process.stdin.setRawMode(true);
  process.stdin.on("keypress", async (text: string | undefined, key: { ctrl: boolean; name?: string }) => {
    const action = key.ctrl && key.name === "c" ? quit : actions[text ?? ""];
    try {
      const done = action?.();
      draw();
      await done;
      draw();
    } catch (error) {
      fail(error);
    }
  });
  process.stdout.on("resize", draw);
  process.once("SIGTERM", () => void quit().catch(fail));
  draw();
}

/** Does what a script says, step by step; `until` waits for a line that contains the rest of the step. */
async function follow(script: string, charger: () => Charger, screen: Screen): Promise<void> {
  for (const step of script.split(",")) {
    const [verb = "", ...rest] = step.trim().split(/\s+/);
    const connector = Number(rest[0]);
    const verbs: Record<string, () => unknown> = {
      plug: () => charger().plug(connector),
      unplug: () => charger().unplug(connector),
      tag: () => charger().present(connector, rest[1] ?? ""),
      fault: () => charger().fault(connector),
      network: () => charger().network(rest[0] === "on"),
      elapse: () => charger().elapse(connector),
      sample: () => charger().sample(),
      until: () => screen.until(rest.join(" ")),
      saved: async () => {
        await charger().chargePoint.saved();
        screen.log("saved");
      },
    };
    const act = verbs[verb];
    if (act === undefined) throw new Error(`The script has no step "${step.trim()}".`);
    await act();
  }
}

function fail(error: unknown): void {
  process.once("exit", () => complain(messageOf(error))); // After the screen has been given back.
  process.exit(1);
}

main().catch(fail);
