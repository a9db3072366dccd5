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
import { type ConnectOptions, connect, durableStore } from "@ocppj/node";
import { messageOf } from "../check.ts";
import { commandLine, fail, securityProfileIn, tlsIn, typedPath, UsageError, whenAskedToEnd } from "../program.ts";
import { ExampleCharger } from "./charger.ts";
import { Screen } from "./screen.ts";
import { scriptHelp, scriptOf } from "./script.ts";

async function main(): Promise<void> {
  const { positionals, values } = commandLine({
    about: "A charger with two connectors, driven from the keyboard or by a script.",
    call: "charger [ws://127.0.0.1:9000/ocpp]",
    options: {
      identity: { type: "string", default: "CP001", help: "who it is" },
      store: { type: "string", help: "the folder of what it must not lose (default: a new one)" },
      script: { type: "string", help: "does this instead of waiting for keys" },
      "authorization-key": { type: "string", help: "its password, 32 to 40 hexadecimal digits; or AUTHORIZATION_KEY" },
      "security-profile": { type: "string", default: "0", help: "1: password; 2: and TLS; 3: TLS and certificate" },
      ca: { type: "string", help: "a PEM file: who issues certificates of central systems" },
      cert: { type: "string", help: "a PEM file: its certificate, for security profile 3" },
      key: { type: "string", help: "a PEM file: the private key of the certificate" },
    },
    more: scriptHelp,
  });
  const [url = "ws://127.0.0.1:9000/ocpp"] = positionals;
  const script = values.script === undefined ? undefined : scriptOf(values.script);
  const authorizationKey = values["authorization-key"] ?? process.env.AUTHORIZATION_KEY;
  const securityProfile = securityProfileIn(values["security-profile"]);
  const { tls } = tlsIn({ ca: "ca", cert: "cert", key: "key" }, values);

  await checkSettings(url, values.identity, {
    securityProfile,
    tls,
    // One that was changed is in the store.
    authorizationKey: authorizationKey || (values.store === undefined ? undefined : "00".repeat(16)),
  });

  const location = values.store === undefined ? mkdtempSync(join(tmpdir(), "ocppj-charger-")) : typedPath(values.store);
  const live = script === undefined && process.stdout.isTTY && process.stdin.isTTY;
  const screen = new Screen(live);
  const charger = await ExampleCharger.start({
    identity: values.identity,
    url,
    credential: { securityProfile, ...(authorizationKey && { authorizationKey }) },
    tls,
    openStore: () => durableStore(location),
    downloads: `${location}-downloads`,
    changed: (line) => screen.log(line),
    failed: failAtOnce,
  });
  const draw = (): void => screen.draw(charger);
  const drawing = setInterval(draw, 1000);

  let quitting = false;
  async function quit(): Promise<void> {
    if (quitting) process.exit(1); // Whoever presses a key twice does not want to wait for the peer's goodbye.
    quitting = true;
    clearInterval(drawing);
    screen.log("stopping");
    draw();
    await charger.stop();
    process.stdin.pause();
    if (live) process.once("exit", () => console.log(`The store is in ${location}: go on with it with --store.`));
  }
  whenAskedToEnd(quit);

  if (script !== undefined) {
    await script(async () => ({ charger: await charger.ready(), screen }));
    await quit();
    return;
  }
  const actions: Record<string, () => unknown> = {
    1: () => (screen.selected = 1),
    2: () => (screen.selected = 2),
    p: async () => (await charger.ready()).plug(screen.selected),
    u: async () => (await charger.ready()).unplug(screen.selected),
    t: async () => (await charger.ready()).present(screen.selected, "04E91C5A"),
    x: async () => (await charger.ready()).present(screen.selected, "UNKNOWN"),
    f: async () => (await charger.ready()).fault(screen.selected),
    n: async () => (await charger.ready()).network(!charger.networkOn),
    c: async () => (await charger.ready()).powerCut(),
    w: async () => (await charger.ready()).why(screen.selected),
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
      failAtOnce(error);
    }
  });
  process.stdout.on("resize", draw);
  draw();
}

/** @throws UsageError With these no attempt can succeed, however often it is repeated. */
async function checkSettings(url: string, identity: string, options: ConnectOptions): Promise<void> {
  const signal = AbortSignal.abort(); // What is wrong is said before anything is dialled.
  try {
    await connect(options)({ url, identity, signal });
  } catch (error) {
    if (error !== signal.reason) throw new UsageError(messageOf(error));
  }
}

function failAtOnce(error: unknown): void {
  process.once("exit", () => fail(error)); // After the screen has been given back.
  process.exit(1);
}

main().catch(failAtOnce);
