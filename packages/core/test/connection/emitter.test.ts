import { once } from "node:events";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Emitter } from "../../src/connection/emitter.ts";
import { misbehaviours, oops } from "./misbehaviours.ts";

interface Events {
  news: [event: { readonly text: string }];
  more: [event: { readonly text: string }];
  fault: [event: { readonly error: unknown; readonly about?: string }];
}

/** What its hook has heard is in `state`. */
class Speaker extends Emitter<Events> {
  readonly state: string[] = [];

  protected override emitted(name: keyof Events): void {
    this.state.push(name);
  }

  protected override aboutOf(event: Events[keyof Events][0]): object {
    return "text" in event ? { about: event.text } : {};
  }
}

let speaker: Speaker;
let heard: string[];
const hear =
  (name: string) =>
  ({ text }: { readonly text: string }): void =>
    void heard.push(`${name} ${text}`);

beforeEach(() => {
  speaker = new Speaker();
  heard = [];
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Emitter, adding and removing", () => {
  test("tells every listener, in the order of adding, until it is removed", () => {
    const first = hear("first");
    speaker.on("news", first).on("news", hear("second")).on("news", first);
    speaker.emit("news", { text: "1" });
    speaker.off("news", first);
    speaker.emit("news", { text: "2" });
    speaker.off("news");
    speaker.emit("news", { text: "3" });
    expect(heard).toEqual(["first 1", "second 1", "first 1", "second 2"]);
    expect(speaker.listenerCount("news")).toBe(0);
  });

  test("tells a listener once that was added so, and removes it by its own function", () => {
    const [told, never] = [hear("once"), hear("never")];
    speaker.once("news", told).once("news", never).on("news", told);
    speaker.off("news", never);
    speaker.off("news", told, undefined, true);
    speaker.emit("news", { text: "1" });
    speaker.once("news", told);
    speaker.emit("news", { text: "2" });
    speaker.emit("news", { text: "3" });
    expect(heard).toEqual(["once 1", "once 2", "once 2", "once 3"]);
  });

  test("calls a listener with its context, by default the emitter, and removes it by that", () => {
    const contexts: unknown[] = [];
    const listener = function (this: unknown): void {
      contexts.push(this);
    };
    const context = {};
    speaker.on("news", listener).on("news", listener, context);
    speaker.emit("news", { text: "1" });
    speaker.off("news", listener, context);
    speaker.emit("news", { text: "2" });
    expect(contexts).toEqual([speaker, context, speaker]);
  });

  test("tells who was there when the event was told", () => {
    const late = hear("late");
    const removed = hear("removed");
    speaker.on("news", () => void speaker.on("news", late).off("news", removed));
    speaker.on("news", removed);
    speaker.emit("news", { text: "1" });
    expect(heard).toEqual(["removed 1"]);
    speaker.removeAllListeners("news");
    speaker.emit("news", { text: "2" });
    speaker.on("more", late).removeAllListeners();
    speaker.emit("more", { text: "3" });
    expect(heard).toEqual(["removed 1"]);
  });

  test("can be waited for with `once` of node:events", async () => {
    const next = once(speaker as never, "news");
    speaker.emit("news", { text: "1" });
    expect(await next).toEqual([{ text: "1" }]);
    expect(speaker.listenerCount("news")).toBe(0);
  });

  test("refuses a listener that is no function", () => {
    expect(() => speaker.on("news", undefined as never)).toThrow(TypeError);
    expect(() => speaker.once("news", {} as never)).toThrow(TypeError);
  });
});

describe("Emitter, in order", () => {
  test("tells all listeners of one thing before the next, and itself at once", () => {
    speaker.on("news", ({ text }) => {
      if (text !== "1") return;
      speaker.emit("more", { text: "2" });
      speaker.emit("news", { text: "3" });
      heard.push(`state ${speaker.state}`);
    });
    speaker.on("news", hear("news"));
    speaker.on("more", hear("more"));
    speaker.emit("news", { text: "1" });
    expect(heard).toEqual(["state news,more,news", "news 1", "more 2", "news 3"]);
  });

  test("tells what was caused to who was added before it is told", () => {
    speaker.on("news", () => {
      speaker.emit("more", { text: "2" });
      speaker.on("more", hear("more"));
    });
    speaker.emit("news", { text: "1" });
    expect(heard).toEqual(["more 2"]);
  });
});

describe.each(Object.entries(misbehaviours))("Emitter, with a listener that %s", (_, misbehave) => {
  test("tells the others, and a fault with what the event was about", async () => {
    const faults: unknown[] = [];
    speaker.on("fault", (event) => void faults.push(event));
    speaker.on("news", hear("before")).on("news", misbehave).once("news", misbehave).on("news", hear("after"));
    speaker.emit("news", { text: "1" });
    await settled();
    speaker.emit("news", { text: "2" });
    await settled();
    expect(heard).toEqual(["before 1", "after 1", "before 2", "after 2"]);
    expect(faults).toEqual(["1", "1", "2"].map((about) => ({ about, error: oops })));
  });

  test("loses what goes wrong in a listener of fault, and nothing more", async () => {
    const faults: unknown[] = [];
    speaker.on("fault", misbehave).on("fault", (event) => void faults.push(event));
    speaker.emit("fault", { error: "real" });
    await settled();
    expect(faults).toEqual([{ error: "real" }]);
  });
});

test("Emitter never throws and never loses a listener, whatever returns and re-enters", async () => {
  const names = fc.constantFrom<"news" | "more">("news", "more");
  const listeners = fc.record({
    name: names,
    returns: fc.constantFrom(
      ...Object.values(misbehaviours),
      () => 7 as never,
      () => ({}) as never,
    ),
    causes: fc.option(names, { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(listeners, { maxLength: 6 }), fc.array(names, { maxLength: 4 }), async (added, told) => {
      const emitter = new Speaker();
      const order: string[] = [];
      let depth = 0;
      added.forEach(({ name, returns, causes }, index) => {
        emitter.on(name, ({ text }) => {
          order.push(`${text}:${index}`);
          if (causes !== undefined && depth++ < 3) emitter.emit(causes, { text: `${causes} by ${text}` });
          return returns();
        });
      });
      for (const name of told) {
        depth = 0;
        emitter.emit(name, { text: name });
      }
      await settled();
      // Each event reaches all of its listeners, one after the other, with nothing in between.
      const texts = order.map((entry) => entry.slice(0, entry.lastIndexOf(":")));
      for (let at = 0; at < order.length; ) {
        const text = texts[at] ?? "";
        const name = text.split(" ")[0];
        const all = added.flatMap((listener, index) => (listener.name === name ? [`${text}:${index}`] : []));
        expect(order.slice(at, at + all.length)).toEqual(all);
        at += all.length;
      }
    }),
    { numRuns: 300 },
  );
});
