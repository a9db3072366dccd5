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

/**
 * Makes a function that tells listeners of one thing after the other: what one of them causes while it is told of
 * something waits until all have been told of that. So an end that a listener brings about is the last to be heard of.
 */
export function inOrder(): (tell: () => void) => void {
  const steps: (() => void)[] = [];
  return (tell) => {
    if (steps.push(tell) > 1) return; // It is told below, by the first one.
    try {
      for (const step of steps) step();
    } finally {
      steps.length = 0;
    }
  };
}
