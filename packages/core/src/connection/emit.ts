import type { EventEmitter } from "eventemitter3";

/**
 * Emits an event to listeners that belong to the application. What one of them throws becomes a `fault`, because no
 * listener may disturb the reading of frames; what a listener of `fault` throws is lost.
 *
 * @param about - What the `fault` says besides its error.
 */
export function emit(emitter: EventEmitter, name: string, event: object, about: object = {}): void {
  try {
    emitter.emit(name, event);
  } catch (error) {
    if (name !== "fault") emit(emitter, "fault", { ...about, error });
  }
}
