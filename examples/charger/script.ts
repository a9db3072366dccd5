import { UsageError } from "../program.ts";
import type { ExampleCharger } from "./charger.ts";
import type { Screen } from "./screen.ts";

/** What a script acts on; a charger that has restarted is another one. */
interface Scene {
  readonly charger: ExampleCharger;
  readonly screen: Screen;
}

/** Something that a script can do. */
interface Verb {
  readonly usage: string;
  readonly help: string;
  readonly pattern: RegExp;
  readonly act: (scene: Scene, ...args: string[]) => unknown;
}

const verbs: readonly Verb[] = [
  {
    usage: "plug <connector>",
    help: "plugs a car in",
    pattern: /^plug ([12])$/,
    act: ({ charger }, connector) => charger.plug(Number(connector)),
  },
  {
    usage: "unplug <connector>",
    help: "unplugs it",
    pattern: /^unplug ([12])$/,
    act: ({ charger }, connector) => charger.unplug(Number(connector)),
  },
  {
    usage: "tag <connector> <card>",
    help: "holds a card to the reader",
    pattern: /^tag ([12]) (\S{1,20})$/,
    act: ({ charger }, connector, card = "") => charger.present(Number(connector), card),
  },
  {
    usage: "fault <connector>",
    help: "breaks the connector, or mends it",
    pattern: /^fault ([12])$/,
    act: ({ charger }, connector) => charger.fault(Number(connector)),
  },
  {
    usage: "network on|off",
    help: "puts the network plug in, or pulls it out",
    pattern: /^network (on|off)$/,
    act: ({ charger }, state) => charger.network(state === "on"),
  },
  {
    usage: "why <connector>",
    help: "says what the connector may draw, and why",
    pattern: /^why ([12])$/,
    act: ({ charger }, connector) => charger.why(Number(connector)),
  },
  {
    usage: "elapse <seconds>",
    help: "lets time pass on the meters",
    pattern: /^elapse (\d{1,9})$/,
    act: ({ charger }, seconds) => charger.elapse(Number(seconds)),
  },
  {
    usage: "power cut",
    help: "cuts the power, and gives it back",
    pattern: /^power cut$/,
    act: ({ charger }) => charger.powerCut(),
  },
  {
    usage: "until <text>",
    help: "waits for a line with this text, after the one that was waited for before",
    pattern: /^until (.+)$/,
    act: ({ screen }, text = "") => screen.until(text),
  },
  {
    usage: "saved",
    help: "waits until the store has everything",
    pattern: /^saved$/,
    act: async ({ charger, screen }) => {
      await charger.charger.chargePoint.saved();
      screen.log("saved");
    },
  },
];

const width = Math.max(...verbs.map(({ usage }) => usage.length));

/** What `--help` says of scripts. */
export const scriptHelp = [
  "A script is a list of steps, with commas between them:",
  ...verbs.map(({ usage, help }) => `  ${usage.padEnd(width)}  ${help}`),
].join("\n");

/**
 * Understands a script, before anything of it is done.
 *
 * @returns Does all of it, step by step.
 * @throws UsageError One of its steps is none.
 */
export function scriptOf(text: string): (scene: () => Promise<Scene>) => Promise<void> {
  const steps = text.split(",").map((part) => {
    const step = part.trim().replaceAll(/\s+/g, " ");
    for (const { act, pattern } of verbs) {
      const [found, ...args] = pattern.exec(step) ?? [];
      if (found !== undefined) return (scene: Scene) => act(scene, ...args);
    }
    throw new UsageError(`"${step}" is no step of a script. There are: ${verbs.map(({ usage }) => usage).join(", ")}.`);
  });
  return async (scene) => {
    for (const step of steps) await step(await scene());
  };
}
