import { type Action, actions } from "@ocppj/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  arbitraryConf,
  arbitraryInvalidConf,
  arbitraryInvalidReq,
  arbitraryReq,
  type InvalidPayload,
} from "../src/index.ts";

const payloads = (Object.keys(actions) as Action[]).flatMap((action) => [
  {
    name: `${action}.req`,
    schema: actions[action].req,
    valid: arbitraryReq(action) as fc.Arbitrary<unknown>,
    invalid: arbitraryInvalidReq(action),
  },
  {
    name: `${action}.conf`,
    schema: actions[action].conf,
    valid: arbitraryConf(action) as fc.Arbitrary<unknown>,
    invalid: arbitraryInvalidConf(action),
  },
]);

const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number): T[] => fc.sample(arbitrary, { numRuns, seed: 16 });

describe("arbitraryReq and arbitraryConf", () => {
  test("exist for both payloads of all 39 actions", () => {
    expect(payloads).toHaveLength(78);
  });

  test.each(payloads)("generate valid payloads that survive JSON: $name", ({ schema, valid }) => {
    for (const payload of sample(valid, 200)) {
      expect(schema.safeParse(payload).error?.issues, JSON.stringify(payload)).toBeUndefined();
      expect(JSON.parse(JSON.stringify(payload))).toStrictEqual(payload);
    }
  });

  test.each(payloads)("reach every literal, every presence and every length of $name", ({ schema, valid }) => {
    const reached = new Set<string>();
    for (const payload of sample(valid, 1000)) observe(schema, payload, "", reached);
    expect(demandsOf(schema, "").filter((demand) => !reached.has(demand))).toEqual([]);
  });

  test("reach empty text and text of exactly the greatest length, also beyond the basic plane", () => {
    const vendors = sample(arbitraryReq("BootNotification"), 300).map((req) => req.chargePointVendor);
    expect(vendors).toContain("");
    expect(vendors).toContain("x".repeat(20));
    expect(vendors).toContain("🔌".repeat(20));
    expect(vendors.filter((vendor) => /^[\x20-\x7e]+$/.test(vendor)).length).toBeGreaterThan(50);
    expect(new Set(vendors).size).toBeGreaterThan(150);
    const unlimited = sample(arbitraryReq("DataTransfer"), 300).map((req) => req.data?.length ?? 0);
    expect(Math.max(...unlimited)).toBeGreaterThanOrEqual(5000);
  });

  test("reach the least and the greatest integers, and common ones", () => {
    const transactionIds = sample(arbitraryReq("RemoteStopTransaction"), 500).map((req) => req.transactionId);
    for (const edge of [Number.MIN_SAFE_INTEGER, -1, 0, 2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      expect(transactionIds).toContain(edge);
    }
    const connectorIds = sample(arbitraryReq("UnlockConnector"), 500).map((req) => req.connectorId);
    expect(Math.min(...connectorIds)).toBe(1);
    expect(connectorIds).toContain(Number.MAX_SAFE_INTEGER);
    expect(sample(arbitraryReq("ReserveNow"), 500).map((req) => req.connectorId)).toContain(0);
  });

  test("reach decimals that binary fractions get wrong, and whole and negative ones [trap 17]", () => {
    const limits = sample(arbitraryReq("SetChargingProfile"), 500).flatMap(({ csChargingProfiles }) =>
      csChargingProfiles.chargingSchedule.chargingSchedulePeriod.map((period) => period.limit),
    );
    for (const edge of [0, 8.1, -0.1, 0.1 + 0.2]) expect(limits).toContain(edge);
    expect(limits.some((limit) => limit % 1 !== 0 && limit > 100)).toBe(true);
    expect(limits.some((limit) => limit % 1 === 0 && limit > 100)).toBe(true);
  });

  test("reach moments with and without fraction and offset, leap days, and years far off", () => {
    const moments = sample(arbitraryConf("Heartbeat"), 500).map((conf) => conf.currentTime);
    const kinds = [/\d\dZ$/, /\.5/, /\.\d{9}/, /[+]\d\d:\d\d$/, /-00:00$/, /-02-29T/, /^0/, /^[3-9]/, /^20[23]/];
    expect(kinds.filter((kind) => !moments.some((moment) => kind.test(moment)))).toEqual([]);
  });

  test("reach URIs of several schemes", () => {
    const locations = sample(arbitraryReq("GetDiagnostics"), 300).map((req) => req.location.split(":")[0]);
    expect([...new Set(locations)].sort()).toEqual(["ftp", "ftps", "http", "https", "s", "sftp", "urn"]);
  });
});

describe("arbitraryInvalidReq and arbitraryInvalidConf", () => {
  test.each(payloads)(
    "generate payloads with one thing wrong, and say what and where: $name",
    ({ schema, invalid }) => {
      for (const { payload, path, violation } of sample(invalid, 200)) {
        // What travels is JSON; that must be wrong, too.
        const received: unknown = JSON.parse(JSON.stringify(payload));
        const issues = schema.safeParse(received).error?.issues.map((issue) => described(received, issue as Issue));
        expect(issues, JSON.stringify(payload)).toEqual([{ path, violation }]);
      }
    },
  );

  test("reach every violation", () => {
    const reached = new Set(payloads.flatMap(({ invalid }) => sample(invalid, 50).map(({ violation }) => violation)));
    expect([...reached].sort()).toEqual([
      "empty",
      "malformed",
      "missing",
      "notAnObject",
      "outOfRange",
      "tooLong",
      "unknownField",
      "unknownValue",
      "wrongType",
    ]);
  });

  test("reach every place of a payload", () => {
    const places = new Set(sample(arbitraryInvalidReq("SetChargingProfile"), 1500).map(({ path }) => path));
    for (const place of [
      "",
      "connectorId",
      "csChargingProfiles",
      "csChargingProfiles.stackLevel",
      "csChargingProfiles.validFrom",
      "csChargingProfiles.chargingSchedule",
      "csChargingProfiles.chargingSchedule.chargingSchedulePeriod",
      "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]",
      "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit",
      "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[2].numberPhases",
      "csChargingProfiles.__proto__",
    ]) {
      expect(places).toContain(place);
    }
  });

  test("take JSON null for wrong only where a field is required [J-063]", () => {
    const roots = (arbitrary: fc.Arbitrary<InvalidPayload>): unknown[] =>
      sample(arbitrary, 500).flatMap(({ payload, path }) => (path === "" ? [payload] : []));
    expect(roots(arbitraryInvalidReq("Authorize"))).toContain(null);
    expect(roots(arbitraryInvalidReq("Heartbeat"))).not.toContain(null);
  });
});

/** The parts of a zod schema that the demands below are read from, independently of the generator. */
interface Schema {
  readonly _zod: {
    readonly def: {
      readonly type: string;
      readonly shape?: Readonly<Record<string, Schema>>;
      readonly innerType?: Schema;
      readonly element?: Schema;
      readonly entries?: Readonly<Record<string, string>>;
      readonly checks?: readonly { readonly _zod: { readonly def: { readonly check: string } } }[];
    };
  };
}

/** What a fair sample must contain. */
function demandsOf(schema: unknown, path: string): string[] {
  const { def } = (schema as Schema)._zod;
  switch (def.type) {
    case "object":
      return Object.entries(def.shape ?? {}).flatMap(([name, field]) => demandsOf(field, `${path}.${name}`));
    case "optional":
      return [`${path} absent`, `${path} present`, ...demandsOf(def.innerType, path)];
    case "array": {
      const fewest = def.checks?.length === 1 ? 1 : 0;
      return [`${path} with ${fewest}`, `${path} with many`, ...demandsOf(def.element, `${path}[]`)];
    }
    case "enum":
      return Object.values(def.entries ?? {}).map((literal) => `${path} = ${literal}`);
    case "boolean":
      return [`${path} = true`, `${path} = false`];
    default:
      return [];
  }
}

function observe(schema: unknown, value: unknown, path: string, reached: Set<string>): void {
  const { def } = (schema as Schema)._zod;
  switch (def.type) {
    case "object":
      for (const [name, field] of Object.entries(def.shape ?? {})) {
        observe(field, (value as Record<string, unknown>)[name], `${path}.${name}`, reached);
      }
      break;
    case "optional":
      reached.add(`${path} ${value === undefined ? "absent" : "present"}`);
      if (value !== undefined) observe(def.innerType, value, path, reached);
      break;
    case "array": {
      const elements = value as unknown[];
      reached.add(`${path} with ${elements.length >= 8 ? "many" : elements.length}`);
      for (const element of elements) observe(def.element, element, `${path}[]`, reached);
      break;
    }
    default:
      reached.add(`${path} = ${value}`);
  }
}

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly origin?: string;
}

/** What zod says about a payload, in our words. */
function described(payload: unknown, issue: Issue): { path: string; violation: string } {
  const path = [...issue.path, ...(issue.keys ?? [])].reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
  const value = issue.path.reduce<unknown>((outer, key) => (outer as Record<PropertyKey, unknown>)[key], payload);
  return { path, violation: violationOf(issue, value) };
}

function violationOf({ code, path, origin }: Issue, value: unknown): string {
  switch (code) {
    case "unrecognized_keys":
      return "unknownField";
    case "too_big":
      return origin === "string" ? "tooLong" : "outOfRange";
    case "too_small":
      return origin === "array" ? "empty" : "outOfRange";
    case "not_multiple_of":
      return "outOfRange";
    case "invalid_format":
      return "malformed";
    case "invalid_value":
      if (typeof value === "string") return "unknownValue";
  }
  if (path.length === 0) return "notAnObject";
  return value === undefined ? "missing" : "wrongType";
}
