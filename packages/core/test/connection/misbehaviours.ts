/** What everything in {@link misbehaviours} fails with. */
export const oops = new Error("oops");

const throwing = (): never => {
  throw oops;
};

const property = "then";
const thenable = (then: unknown): object => ({ [property]: then });
const poisoned = (object: object): object => Object.defineProperty(object, property, { get: throwing });

/** The ways in which a function of the owner's can fail: at once, later, and as no promise does. */
export const misbehaviours: Readonly<Record<string, () => never>> = {
  throws: throwing,
  rejects: () => Promise.reject(oops) as never,
  "rejects later": (async () => {
    await undefined;
    throw oops;
  }) as () => never,
  "returns a thenable that throws": () => thenable(throwing) as never,
  "returns a thenable that rejects": () =>
    thenable((_: unknown, reject: (error: unknown) => void) => reject(oops)) as never,
  "returns a thenable that cannot be read": () => poisoned({}) as never,
  "returns a promise that cannot be read": () => poisoned(Promise.resolve()) as never,
};
