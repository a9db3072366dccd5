/*
 * TypeScript lets a function return more than it has to: a misspelt optional field of an answer would be no error of the
 * compiler, but one of every CALL. These types find the fields that an answer must not have, at any depth.
 */

/** The names of the fields in `Given` that `Shape` does not have. */
type UnknownFields<Given, Shape> = Given extends readonly (infer Element)[]
  ? UnknownFields<Element, Shape extends readonly (infer Part)[] ? Part : never>
  : Given extends object
    ? { [Name in keyof Given & string]-?: UnknownField<Name, Given[Name], Shape> }[keyof Given & string]
    : never;

/** Of what is `undefined` nothing is sent, and a `Record` has no names. */
type UnknownField<Name, Given, Shape> =
  Name extends NamesOf<Shape>
    ? UnknownFields<Given, NonNullable<FieldOf<Shape, Name>>>
    : [undefined] extends [Given]
      ? never
      : string extends Name
        ? never
        : Name;

/** Of any of several shapes: a handler may be one of several actions. */
type NamesOf<Shape> = Shape extends unknown ? keyof Shape : never;
type FieldOf<Shape, Name> = Shape extends unknown ? (Name extends keyof Shape ? Shape[Name] : never) : never;

/** What a handler must be that answers with a field which does not exist: nothing is. */
export interface NoSuchField<Name> {
  readonly "no such field": Name;
}

/** What a handler must be besides a handler: anything, unless it answers with a field that `Shape` does not have. */
export type ExactAnswer<Handler extends (...args: never) => unknown, Shape> = [
  UnknownFields<Awaited<ReturnType<Handler>>, Shape>,
] extends [never]
  ? unknown
  : NoSuchField<UnknownFields<Awaited<ReturnType<Handler>>, Shape>>;
