/*
 * How options are taken, everywhere in the same way: checked at once, all of them, and copied, so that what their owner
 * does to the object later changes nothing. A limit that is no number, read from an environment variable that is not
 * set, would be no limit; a name that is misspelt would be a default.
 */

/** What an option may be. */
export interface OptionRule {
  /** What to give, as the rest of a sentence, for example `a function`. */
  readonly give: string;
  readonly takes: (value: unknown) => boolean;
  /** Whether it has no default. */
  readonly required?: boolean;
  /** The methods that an object has to have; those that it lacks are told. */
  readonly methods?: readonly string[];
  /** Whether its value may be a secret, which is never told. */
  readonly secret?: true;
}

/**
 * A rule for each option of an interface: the compiler sees that none is forgotten, nor that it has no default, nor that
 * `undefined` means the default.
 */
export type OptionRules<Options> = {
  readonly [Name in keyof Options]-?: Record<never, never> extends Pick<Options, Name>
    ? { readonly [Undefined in Name]: undefined } extends Pick<Options, Name>
      ? OptionRule
      : never
    : OptionRule & { readonly required: true };
};

/** Options as they were taken: what is there is not `undefined`. */
type Taken<Options> = { [Name in keyof Options]: Exclude<Options[Name], undefined> };

/**
 * Takes options: each is read once, and a list is copied.
 *
 * @param owner - What has these options, as the beginning of a sentence.
 * @returns A new object, without what is `undefined`: that means the default.
 * @throws TypeError They are no object, one of them is not what it may be, or there is no such option. It tells the name,
 * the value unless that is secret, and what to give.
 */
export function takeOptions<Options extends object>(
  owner: string,
  options: Options,
  rules: OptionRules<Options>,
): Taken<Options> {
  if (!isObject(options)) throw new TypeError(`The options of ${owner} are ${shown(options)}. Give an object.`);
  for (const name in options) {
    if (Object.hasOwn(rules, name)) continue;
    throw new TypeError(`${owner} has no option ${shown(name)}. It has ${Object.keys(rules).join(", ")}.`);
  }
  const taken: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries<OptionRule>(rules)) {
    const value = takeOption(name, options[name], rule);
    if (value !== undefined) taken[name] = value;
  }
  return taken as Taken<Options>;
}

/**
 * Takes one option.
 *
 * @throws TypeError It is not what it may be.
 */
export function takeOption<Value>(name: string, option: Value, rule: OptionRule): Value {
  const { give, takes, required, secret } = rule;
  const value = Array.isArray(option) ? ([...option] as Value) : option;
  if ((value === undefined && !required) || takes(value)) return value;
  const is = secret ? "not what it may be" : shown(value);
  throw new TypeError(`${name} is ${is}. Give ${give}${secret ? "" : detailOf(value, rule)}.`);
}

/** What is wrong in a list, or with the methods of an object, as the rest of a sentence. */
function detailOf(value: unknown, { methods = [], takes }: OptionRule): string {
  const wrong = Array.isArray(value)
    ? value.filter((entry) => !takes([entry])).map(shown)
    : methods.filter((name) => isObject(value) && typeof value[name] !== "function");
  return wrong.length ? ` (wrong: ${wrong.slice(0, 3).join(", ")})` : "";
}

function rule(give: string, takes: OptionRule["takes"]): OptionRule {
  return { give, takes };
}

function having(give: string, ...methods: readonly string[]): OptionRule {
  const takes = (value: unknown) => isObject(value) && methods.every((name) => typeof value[name] === "function");
  return { give, takes, methods };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** The longest text that is told in full. */
const maxLength = 40;

/** A value, fit for an error. */
function shown(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > maxLength ? `${value.slice(0, maxLength)}...` : value);
  if (typeof value === "function") return "a function";
  if (isObject(value)) return Array.isArray(value) ? "a list" : "an object";
  return String(value);
}

/** A list of quirks, or a table with at least one. */
function areQuirks(value: unknown): boolean {
  if (!isObject(value)) return false;
  const rows: readonly unknown[] = Object.values(value);
  return (Array.isArray(value) || rows.length > 0) && rows.every((row) => isObject(row) && isObject(row.tolerance));
}

/** The rules that most options have. None of them takes NaN, an infinite number, or a number that is written as text. */
export const optionRules = {
  text: /* @__PURE__ */ rule("a text", (value) => typeof value === "string"),
  flag: /* @__PURE__ */ rule("true or false", (value) => typeof value === "boolean"),
  callback: /* @__PURE__ */ rule("a function", (value) => typeof value === "function"),
  milliseconds: /* @__PURE__ */ rule("a positive number of milliseconds", (value) => isFrom(value, Number.MIN_VALUE)),
  /** Any number that is large enough. */
  number: (give: string, least: number): OptionRule => rule(give, (value) => isFrom(value, least)),
  whole: (least: number, most = Number.MAX_SAFE_INTEGER): OptionRule =>
    rule(
      `a whole number from ${least} ${most < Number.MAX_SAFE_INTEGER ? `to ${most}` : "on"}`,
      (value) => Number.isSafeInteger(value) && isFrom(value, least) && value <= most,
    ),
  oneOf: (...values: readonly (number | string)[]): OptionRule =>
    rule(values.map(shown).join(" or "), (value) => values.includes(value as never)),
  /** An object with these methods, whatever else it has. */
  object: having,
  clock: /* @__PURE__ */ having("a clock, with now and wakeAt", "now", "wakeAt"),
  store: /* @__PURE__ */ having("a store, with load, put and delete", "load", "put", "delete"),
  signal: /* @__PURE__ */ having("an AbortSignal", "addEventListener", "removeEventListener"),
  quirks: /* @__PURE__ */ rule("`quirks`, or a list of its rows, for example [quirks.nullFields]", areQuirks),
  quirkChoice: /* @__PURE__ */ rule(
    "`quirks`, a list of its rows, for example [quirks.nullFields], or a function that says which of whom",
    (value) => typeof value === "function" || areQuirks(value),
  ),
  required: (rule: OptionRule): OptionRule & { readonly required: true } => ({ ...rule, required: true }),
  secret: (rule: OptionRule): OptionRule => ({ ...rule, secret: true }),
};

const isFrom = (value: unknown, least: number): value is number => Number.isFinite(value) && (value as number) >= least;
