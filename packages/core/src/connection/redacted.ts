import type { Frame, Malformed } from "../rpc/frame.ts";

const mark = "(redacted)";

/**
 * A copy of a frame without the values of secret configuration keys, for logs: whoever listens to `message`, `violation` or
 * `finished` sees ChangeConfiguration, and with it every new AuthorizationKey in clear text.
 *
 * Values are replaced wherever they stand beside their key or under its name, in whatever case: in ChangeConfiguration.req,
 * in GetConfiguration.conf of a Charge Point that tells its password, in the details of a CALLERROR that repeats its CALL.
 * A text that names such a key and says more than that is replaced as a whole: in a payload, or instead of a frame.
 *
 * @param keys - The configuration keys that are secret. Default: AuthorizationKey; add what your chargers have besides.
 * @spec security white paper A01.FR.09, A01.FR.12 [SEC-A01-09, SEC-A01-12]
 */
export function redacted<F extends Frame | Malformed>(frame: F, keys: readonly string[] = ["AuthorizationKey"]): F {
  const secret = new Set(keys.map((key) => key.toLowerCase()));
  return copyOf(frame, secret) as F;
}

function copyOf(frame: Frame | Malformed, secret: ReadonlySet<string>): Frame | Malformed {
  switch (frame.type) {
    case "CALL":
    case "CALLRESULT":
      return { ...frame, payload: without(secret, frame.payload) };
    case "CALLERROR": {
      const errorDetails = without(secret, frame.errorDetails) as typeof frame.errorDetails;
      return { ...frame, errorDescription: textWithout(secret, frame.errorDescription), errorDetails };
    }
    case "MALFORMED": {
      const { repaired } = frame;
      const copy = { ...frame, text: textWithout(secret, frame.text) };
      return repaired === undefined ? copy : { ...copy, repaired: copyOf(repaired, secret) as typeof repaired };
    }
  }
}

/** No payload of OCPP is nested deeper than this, and a hostile one must not exhaust the stack: what is deeper is hidden. */
const deepest = 16;

function without(secret: ReadonlySet<string>, value: unknown, depth = deepest): unknown {
  if (typeof value === "string") return isSecret(secret, value) ? value : textWithout(secret, value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return mark;
  if (Array.isArray(value)) return value.map((item) => without(secret, item, depth - 1));
  const { key } = value as { readonly key?: unknown };
  const namesSecret = isSecret(secret, key);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const hidden = (namesSecret && name.toLowerCase() === "value") || isSecret(secret, name);
      return [name, hidden ? mark : without(secret, inner, depth - 1)];
    }),
  );
}

const isSecret = (secret: ReadonlySet<string>, key: unknown): boolean =>
  typeof key === "string" && secret.has(key.trim().toLowerCase());

/** Free text has no structure that would tell where the value ends. */
function textWithout(secret: ReadonlySet<string>, text: string): string {
  const folded = text.toLowerCase();
  return [...secret].some((key) => folded.includes(key)) ? mark : text;
}
