import { guarded } from "../guarded.ts";

/** A listener, and how it was added. */
interface Added {
  readonly listener: (event: never) => void;
  readonly context: unknown;
  readonly once: boolean;
}

/**
 * Tells listeners of events. They belong to the application, so none of them can do harm:
 *
 * - What a listener throws, or what the promise that it returns rejects with, becomes the event `fault`; the other listeners
 *   hear all the same. What goes wrong in a listener of `fault` is lost.
 * - Listeners are told of one thing after the other: what one of them causes while it is told of something is told when all
 *   have heard of that. So an end that a listener brings about is the last to be heard of.
 *
 * Adding and removing is as with the emitters of Node: one that is added or removed meanwhile is not, or still, told of the
 * present event, and the same function may be added twice.
 */
export class Emitter<Events extends Record<keyof Events, unknown[]>> {
  readonly #listeners = new Map<keyof Events, readonly Added[]>();
  /** What is still to be told, in order. */
  readonly #untold: { readonly name: keyof Events; readonly event: Events[keyof Events][0] }[] = [];
  #telling = false;

  /**
   * Adds a listener.
   *
   * @param context - `this` inside of it. Default: the emitter.
   * @throws TypeError It is no function.
   */
  on<E extends keyof Events>(name: E, listener: (event: Events[E][0]) => void, context?: unknown): this {
    return this.#add(name, { listener, context, once: false });
  }

  /** Adds a listener that is told of one event only. See {@link on}. */
  once<E extends keyof Events>(name: E, listener: (event: Events[E][0]) => void, context?: unknown): this {
    return this.#add(name, { listener, context, once: true });
  }

  /**
   * Removes a listener, however often it was added; without `listener` all of that event.
   *
   * @param context - Only where it was added with this context.
   * @param once - Only where it was added with `once`.
   */
  off<E extends keyof Events>(
    name: E,
    listener?: (event: Events[E][0]) => void,
    context?: unknown,
    once = false,
  ): this {
    const isMeant = (added: Added): boolean =>
      (listener === undefined || added.listener === listener) &&
      (context === undefined || added.context === context) &&
      (!once || added.once);
    this.#set(
      name,
      this.#of(name).filter((added) => !isMeant(added)),
    );
    return this;
  }

  /** See {@link on}; the name under which `once` of `node:events` looks for it. */
  addListener<E extends keyof Events>(name: E, listener: (event: Events[E][0]) => void, context?: unknown): this {
    return this.on(name, listener, context);
  }

  /** See {@link off}; the name under which `once` of `node:events` looks for it. */
  removeListener<E extends keyof Events>(
    name: E,
    listener?: (event: Events[E][0]) => void,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.off(name, listener, context, once);
  }

  /** Removes all listeners, or all of one event. */
  removeAllListeners(name?: keyof Events): this {
    if (name === undefined) this.#listeners.clear();
    else this.#listeners.delete(name);
    return this;
  }

  /** How many listeners an event has. */
  listenerCount(name: keyof Events): number {
    return this.#of(name).length;
  }

  /** Tells of an event. Never throws. */
  emit<E extends keyof Events>(name: E, event: Events[E][0]): void {
    if (this.isHeard(name)) this.#untold.push({ name, event });
    this.emitted(name, event);
    if (this.#telling) return; // Further out, in its turn.
    this.#telling = true;
    for (const told of this.#untold) {
      for (const added of this.#of(told.name)) this.#call(added, told.name, told.event);
    }
    this.#untold.length = 0;
    this.#telling = false;
  }

  /** Whether an event has listeners, or may have when it is told. */
  protected isHeard(name: keyof Events): boolean {
    return this.#telling || this.#listeners.has(name);
  }

  /** Hears of each event at once, before the listeners: for whom that is the state, not the news. */
  protected emitted<E extends keyof Events>(_name: E, _event: Events[E][0]): void {}

  /** What the `fault` of a listener says of the event, besides the error. */
  protected aboutOf(_event: Events[keyof Events][0]): object {
    return {};
  }

  #add(name: keyof Events, added: Added): this {
    if (typeof added.listener !== "function") throw new TypeError("The listener must be a function.");
    this.#set(name, [...this.#of(name), added]);
    return this;
  }

  #of(name: keyof Events): readonly Added[] {
    return this.#listeners.get(name) ?? [];
  }

  #set(name: keyof Events, listeners: readonly Added[]): void {
    if (listeners.length > 0) this.#listeners.set(name, listeners);
    else this.#listeners.delete(name);
  }

  #call({ listener, context, once }: Added, name: keyof Events, event: Events[keyof Events][0]): void {
    const failed = (error: unknown): void => {
      if (name !== "fault") this.emit("fault" as keyof Events, { ...this.aboutOf(event), error });
    };
    if (once) this.off(name, listener as (event: unknown) => void, undefined, true);
    guarded(() => listener.call(context ?? this, event as never), failed);
  }
}
