import { type OptionRules, optionRules, takeOptions } from "@ocppj/core";
import { Security, type SecurityOptions, type SecurityParts } from "./security.ts";

/** What a charger does of the security white paper: see {@link security}. */
export interface SecurityWhitePaper {
  /** For the Charger. */
  load(parts: SecurityParts): Promise<Security>;
}

const rules: OptionRules<SecurityOptions> = { maxLogEntries: optionRules.whole(1) };

/**
 * Has a charger notice what matters to security, keep it in a log, and tell the Central System of what is critical: for the
 * option `security` of a `Charger`.
 *
 * @throws TypeError One of the options is not what it may be, or there is no such option.
 * @spec security white paper §8, A04 [SEC-A04-01 … SEC-A04-04]
 */
export function security(options: SecurityOptions = {}): SecurityWhitePaper {
  const taken = takeOptions("security", options, rules);
  return { load: (parts) => Security.load(taken, parts) };
}
