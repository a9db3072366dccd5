/**
 * A charger to be driven from the keyboard, or by a script.
 *
 *   charger [url] [--identity CP001] [--store directory] [--script "plug 1, tag 1 04E91C5A, until transaction 1"]
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emitKeypressEvents } from "node:readline";
import { parseArgs } from "node:util";
import { connect, queueStore } from "@ocppj/node";
import { Charger } from "./charger.ts";
import { Screen } from "./screen.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    identity: { type: "string", default: "CP001" },
    store: { type: "string" },
    script: { type: "string" },
  },
});
const url = positionals[0] ?? "ws://127.0.0.1:9000/ocpp";
const location = values.store ?? mkdtempSync(join(tmpdir(), "ocppj-charger-"));
const screen = new Screen(values.script === undefined && process.stdout.isTTY);

let charger = await start();
let sampledAt = Date.now();
const meter = setInterval(() => {
  charger.elapse(1);
  const intervalMs = 1000 * charger.configuration.get("MeterValueSampleInterval");
  if (intervalMs > 0 && Date.now() - sampledAt >= intervalMs) {
    sampledAt = Date.now();
    charger.sample();
  }
  screen.draw(charger);
}, 1000);

if (values.script === undefined) listenToKeys();
else {
  await follow(values.script);
  await quit();
}

function start(): Promise<Charger> {
  return Charger.start({
    identity: values.identity,
    url,
    connect: connect(),
    store: queueStore(location),
    changed: (line) => screen.log(line),
    restart: () => void restart(),
  });
}

async function restart(): Promise<void> {
  screen.log("restarting");
  await charger.stop();
  charger = await start();
}

async function quit(): Promise<void> {
  clearInterval(meter);
  await charger.stop();
  process.stdin.pause();
}

function listenToKeys(): void {
  emitKeypressEvents(process.stdin);
  if (process.stdin.isTTY) process.stdin.setRawMode(true);
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
  process.stdin.on("keypress", (text: string | undefined, key: { ctrl: boolean; name?: string }) => {
    const action = key.ctrl && key.name === "c" ? quit : actions[text ?? ""];
    void action?.();
    screen.draw(charger);
  });
  screen.draw(charger);
}

/** Does what a script says, step by step; `until` waits for a line that contains the rest of the step. */
async function follow(script: string): Promise<void> {
  for (const step of script.split(",")) {
    const [verb = "", ...rest] = step.trim().split(/\s+/);
    const connector = Number(rest[0]);
    const verbs: Record<string, () => unknown> = {
      plug: () => charger.plug(connector),
      unplug: () => charger.unplug(connector),
      tag: () => charger.present(connector, rest[1] ?? ""),
      fault: () => charger.fault(connector),
      network: () => charger.network(rest[0] === "on"),
      elapse: () => charger.elapse(connector),
      sample: () => charger.sample(),
      until: () => screen.until(rest.join(" ")),
      saved: async () => {
        await charger.chargePoint.saved();
        screen.log("saved");
      },
    };
    const act = verbs[verb];
    if (act === undefined) throw new Error(`The script has no step "${step.trim()}".`);
    await act();
  }
}
