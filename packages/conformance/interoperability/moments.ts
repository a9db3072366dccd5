/** Something that emits events, each with one argument. */
interface Emitter {
  once(name: string, listener: (event: never) => void): unknown;
}

/** The argument of the next event of that name, whoever emits it. */
export function next<Event = unknown>(emitter: object, name: string): Promise<Event> {
  return new Promise((resolve) => (emitter as Emitter).once(name, resolve as (event: never) => void));
}

/** A promise that is resolved from outside. */
export function deferred<Value = void>(): { readonly promise: Promise<Value>; resolve(value: Value): void } {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
