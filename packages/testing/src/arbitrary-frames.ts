import { type Action, actions, encode, errorCodes, type Frame } from "@ocppj/core";
import fc from "fast-check";
import { arbitraryConf, arbitraryReq } from "./arbitrary-payloads.ts";

/** Any frame that a correct peer may send: a CALL of one of the 39 actions, a CALLRESULT or a CALLERROR. */
export function arbitraryFrame(): fc.Arbitrary<Frame> {
  return fc.oneof(
    fc.oneof(...names.map((action) => call(action))),
    fc.oneof(...names.map((action) => callResult(action))),
    callError,
  );
}

/**
 * Any text that began as a frame and was damaged on the way, a little or a lot: elements lost, added, swapped or of
 * another type; names that every object inherits as id, action, code or key; message types of later versions; ids that
 * are too long; numbers beyond all limits; deep nesting; text cut off, doubled, or wrapped in what does not belong there.
 *
 * Some are frames still, by chance.
 */
export function arbitraryMutatedFrame(): fc.Arbitrary<string> {
  return fc
    .record({
      frame: arbitraryFrame(),
      elementDamages: fc.array(elementDamage, { maxLength: 3 }),
      separator: fc.oneof({ weight: 9, arbitrary: fc.constant(",") }, fc.constantFrom(" ,\r\n\t", ",,")),
      textDamages: fc.array(textDamage, { maxLength: 1 }),
    })
    .map(({ frame, elementDamages, separator, textDamages }) => {
      const elements = (JSON.parse(encode(frame)) as unknown[]).map((element) => JSON.stringify(element));
      for (const damage of elementDamages) inflict(elements, damage);
      return textDamages.reduce(damagedText, `[${elements.join(separator)}]`);
    });
}

const names = Object.keys(actions) as Action[];

const inherited = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

/** At most 36 characters. [J-050] */
const messageId = fc.oneof(
  { weight: 3, arbitrary: fc.uuid() },
  { weight: 2, arbitrary: fc.nat().map(String) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 36 }) },
  { weight: 1, arbitrary: fc.constantFrom(...inherited, "-1", "0", "x".repeat(36), "🔌".repeat(36)) },
);

const call = (action: Action): fc.Arbitrary<Frame> =>
  fc.record(
    { type: fc.constant("CALL"), messageId, action: fc.constant(action), payload: arbitraryReq(action) },
    { noNullPrototype: true },
  );

const callResult = (action: Action): fc.Arbitrary<Frame> =>
  fc.record({ type: fc.constant("CALLRESULT"), messageId, payload: arbitraryConf(action) }, { noNullPrototype: true });

const callError: fc.Arbitrary<Frame> = fc.record(
  {
    type: fc.constant("CALLERROR"),
    messageId,
    errorCode: fc.constantFrom(...Object.keys(errorCodes)),
    errorDescription: fc.string({ unit: "grapheme", maxLength: 255 }),
    errorDetails: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true, maxKeys: 3 }),
  },
  { noNullPrototype: true },
);

const quoted = (texts: readonly string[]): string[] => texts.map((text) => JSON.stringify(text));
const nested = (depth: number): string[] => [
  "[".repeat(depth) + "]".repeat(depth),
  `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
];

/** What may stand in the place of each element, as JSON text: some of it cannot be made with `JSON.stringify`. */
const hostileTypes: readonly string[] = [
  "2",
  "3",
  "4",
  "5",
  "6",
  "0",
  "-1",
  "2.0",
  "2.5",
  '"2"',
  '"3"',
  '"CALL"',
  "[2]",
];
const hostileIds: readonly string[] = [
  ...quoted(["", "-1", "x".repeat(36), "x".repeat(37), "🔌".repeat(37), "x".repeat(1000), ...inherited]),
  ...["42", "-0", "1e400", "9007199254740993", "null", '["id"]', '"\\ud800"', '"\ud800"', '"\\u0000"'],
];
const hostileNames: readonly string[] = [
  ...quoted([...inherited, "", "BootNotificationRequest", "bootNotification", "Reset ", "NotifyEvent"]),
  ...quoted(["OccurrenceConstraintViolation", "FormatViolation", "RpcFrameworkError", "x".repeat(1000)]),
  ...["null", "42", '["Reset"]', '{"toString":1}'],
];
const hostilePayloads: readonly string[] = [
  ...["null", "true", "[]", "{}", "[{}]", '"text"', '{"":""}', '{"idTag":"first","idTag":"second"}'],
  ...inherited.map((name) => `{"${name}":{"polluted":true}}`),
  ...['{"constructor":{"prototype":{"polluted":true}}}', '{"idTag":"\\ud800"}', '{"idTag":"\ud800"}'],
  ...["1e400", "-1e400", "1e-400", "1".repeat(400)].map((number) => `{"connectorId":${number}}`),
  ...nested(100),
  ...nested(10_000),
];
const noJson: readonly string[] = ["", "undefined", "NaN", "01", "+1", "'2'", "0x2", "[", "}", '"', "/* */2"];

type ElementDamage =
  | { readonly type: "remove"; readonly at: number }
  | { readonly type: "swap"; readonly at: number; readonly with: number }
  | { readonly type: "insert" | "replace"; readonly at: number; readonly json: string }
  | { readonly type: "addKey"; readonly key: string; readonly json: string };

const at = fc.nat(4);
const any = fc.constantFrom(...hostileTypes, ...hostileIds, ...hostileNames, ...hostilePayloads, ...noJson);
const inPlace = [hostileTypes, hostileIds, hostileNames, hostilePayloads, hostilePayloads].map((texts, at) =>
  fc.record({ type: fc.constant("replace"), at: fc.constant(at), json: fc.constantFrom(...texts) }),
);
const elementDamage: fc.Arbitrary<ElementDamage> = fc.oneof(
  fc.record({ type: fc.constant("remove"), at }),
  fc.record({ type: fc.constant("swap"), at, with: at }),
  fc.record({ type: fc.constantFrom("insert", "replace"), at, json: any }),
  fc.record({ type: fc.constant("addKey"), key: fc.constantFrom(...inherited, "", "vendorExtension"), json: any }),
  { weight: 6, arbitrary: fc.oneof(...inPlace) },
);

function inflict(elements: string[], damage: ElementDamage): void {
  switch (damage.type) {
    case "remove":
      elements.splice(damage.at, 1);
      break;
    case "swap":
      [elements[damage.at], elements[damage.with]] = [elements[damage.with] ?? "", elements[damage.at] ?? ""];
      break;
    case "insert":
      elements.splice(damage.at, 0, damage.json);
      break;
    case "replace":
      elements.splice(damage.at, 1, damage.json);
      break;
    case "addKey":
      for (const [index, element] of elements.entries()) {
        if (!element?.startsWith("{")) continue;
        const others = element === "{}" ? "}" : `,${element.slice(1)}`;
        elements[index] = `{${JSON.stringify(damage.key)}:${damage.json}${others}`;
      }
      break;
  }
}

type TextDamage =
  | { readonly type: "cut" | "delete" | "insert"; readonly at: number; readonly text: string }
  | { readonly type: "double"; readonly between: string }
  | { readonly type: "replace"; readonly text: string }
  | { readonly type: "wrap"; readonly before: string; readonly after: string };

const textDamage: fc.Arbitrary<TextDamage> = fc.oneof(
  fc.record({
    type: fc.constantFrom("cut", "delete", "insert"),
    at: fc.nat(200),
    text: fc.constantFrom("\ud800", "\udfff", "\u0000", "\ufeff", "\\", '"', ",", "]", "}", "\n", "x"),
  }),
  fc.record({ type: fc.constant("double"), between: fc.constantFrom("", "\n", ",", "\u0000") }),
  fc.record({
    type: fc.constant("replace"),
    text: fc.constantFrom("", "[]", "{}", "null", "2", '"[2]"', '{"0":2,"length":4}', ...nested(10_000)),
  }),
  fc.record({
    type: fc.constant("wrap"),
    before: fc.constantFrom("", "\ufeff", "\ufeff\ufeff", " ", "\r\n\t", "\u0000", "\u00a0", "42"),
    after: fc.constantFrom("", "\u0000", "\u0000\u0000", " ", "\r\n\t", "\ufeff", "\u00a0", "x"),
  }),
);

function damagedText(text: string, damage: TextDamage): string {
  switch (damage.type) {
    case "cut":
      return text.slice(0, damage.at % (text.length + 1));
    case "delete":
    case "insert": {
      const index = damage.at % (text.length + 1);
      return damage.type === "delete"
        ? text.slice(0, index) + text.slice(index + 1)
        : text.slice(0, index) + damage.text + text.slice(index);
    }
    case "double":
      return text + damage.between + text;
    case "replace":
      return damage.text;
    case "wrap":
      return damage.before + text + damage.after;
  }
}
