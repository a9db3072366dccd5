import { EventEmitter } from "eventemitter3";
import { guarded } from "../guarded.ts";

type Listener = (this: unknown, event: never) => unknown;

/** By guard, of whichever emitter: the listener. */
const guarding = new WeakMap<Listener, Listener>();

/**
 * Tells listeners of events. They belong to the application, so none of them can do harm:
 *
 * - What a listener throws, or what the promise that it returns rejects with, becomes the event `fault`; the other listeners
 *   hear all the same. What goes wrong in a listener of `fault` is lost.
 * - Listeners are told of one thing after the other: what one of them causes while it is told of something is told when all
 *   have heard of that. So an end that a listener brings about is the last to be heard of.
 *
 * In all else it is an emitter of eventemitter3. That is given a guard in place of each listener, which is one and the same
 * for a function, so that it can be removed again.
 */
export class Emitter<Events extends Record<keyof Events, unknown[]>> extends EventEmitter<Events> {
  /** By listener: what calls it. Of most emitters nobody ever hears. */
  #guards: WeakMap<Listener, Listener> | undefined;
  /** The same of listeners of `fault`. */
  #faultGuards: WeakMap<Listener, Listener> | undefined;
  /** What is still to be told, in order. */
  readonly #untold: { readonly name: keyof Events; readonly event: Events[keyof Events][0] }[] = [];
  #telling = false;

  override on<E extends EventEmitter.EventNames<Events>>(
    name: E,
    listener: EventEmitter.EventListener<Events, E>,
    context?: unknown,
  ): this {
    return super.on(name, this.#guardOf(name, listener), context as this);
  }

  override once<E extends EventEmitter.EventNames<Events>>(
    name: E,
    listener: EventEmitter.EventListener<Events, E>,
    context?: unknown,
  ): this {
    return super.once(name, this.#guardOf(name, listener), context as this);
  }

  override off<E extends EventEmitter.EventNames<Events>>(
    name: E,
    listener?: EventEmitter.EventListener<Events, E>,
    context?: unknown,
    once?: boolean,
  ): this {
    return super.off(name, listener && this.#guardOf(name, listener), context as this, once);
  }

  override addListener<E extends EventEmitter.EventNames<Events>>(
    name: E,
    listener: EventEmitter.EventListener<Events, E>,
    context?: unknown,
  ): this {
    return this.on(name, listener, context);
  }

  override removeListener<E extends EventEmitter.EventNames<Events>>(
    name: E,
    listener?: EventEmitter.EventListener<Events, E>,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.off(name, listener, context, once);
  }

  override listeners<E extends EventEmitter.EventNames<Events>>(name: E): EventEmitter.EventListener<Events, E>[] {
    return super.listeners(name).map((guard) => guarding.get(guard as Listener) as typeof guard);
  }

  /**
   * Tells of an event. Never throws.
   *
   * @returns Whether anybody listens.
   */
  override emit<E extends EventEmitter.EventNames<Events>>(
    name: E,
    ...args: EventEmitter.EventArgs<Events, E> | [event: Events[E & keyof Events][0]]
  ): boolean {
    const event = args[0] as Events[keyof Events][0];
    const isHeard = this.isHeard(name as keyof Events);
    if (isHeard) this.#untold.push({ name: name as keyof Events, event });
    this.emitted(name as keyof Events, event);
    if (this.#telling || !isHeard) return isHeard; // Further out, in its turn, or to nobody.
    this.#telling = true;
    for (const told of this.#untold) super.emit(told.name as never, ...([told.event] as never));
    this.#untold.length = 0;
    this.#telling = false;
    return isHeard;
  }

  /** Whether an event has listeners, or may have when it is told. */
  protected isHeard(name: keyof Events): boolean {
    return this.#telling || this.listenerCount(name as never) > 0;
  }

  /** Hears of each event at once, before the listeners: for whom that is the state, not the news. */
  protected emitted<E extends keyof Events>(_name: E, _event: Events[E][0]): void {}

  /** What the `fault` of a listener says of the event, besides the error. */
  protected aboutOf(_event: Events[keyof Events][0]): object {
    return {};
  }

  #guardsOf(name: unknown): WeakMap<Listener, Listener> {
    if (name === "fault") {
      this.#faultGuards ??= new WeakMap();
      return this.#faultGuards;
    }
    this.#guards ??= new WeakMap();
    return this.#guards;
  }

  #guardOf<L>(name: unknown, given: L): L {
    const listener = given as Listener;
    // eventemitter3 removes those of `once` by what it was given.
    if (typeof listener !== "function" || guarding.has(listener)) return given;
    const guards = this.#guardsOf(name);
    let guard = guards.get(listener);
    if (guard === undefined) {
      const failed = (event: object, error: unknown): void => {
        if (name !== "fault") this.emit("fault" as never, ...([{ ...this.aboutOf(event as never), error }] as never));
      };
      guard = function (event: object): void {
        guarded(
          () => listener.call(this, event as never),
          (error) => failed(event, error),
        );
      } as Listener;
      guards.set(listener, guard);
      guarding.set(guard, listener);
    }
    return guard as L;
  }
}
