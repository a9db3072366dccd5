import type { AuthorizationCache } from "../authorization/authorization-cache.ts";
import type { LocalAuthList } from "../authorization/local-auth-list.ts";
import type { Configuration } from "../configuration/configuration.ts";
import type { AnyHandler, Handler } from "../connection/connection.ts";
import type { Action, ActionTo } from "../messages/actions.ts";
import type { SmartCharging } from "../smart-charging/smart-charging.ts";

/** What a Charge Point was given to answer from. */
export interface BuiltInParts {
  readonly configuration?: Pick<Configuration, "getConfiguration" | "changeConfiguration"> | undefined;
  readonly authorizationCache?: AuthorizationCache | undefined;
  readonly localAuthList?: LocalAuthList | undefined;
  readonly smartCharging?: SmartCharging | undefined;
}

/**
 * The handlers that need nothing of the owner: they answer from the configuration, the authorization cache, the Local
 * Authorization List and the charging profiles, and, where a Charge Point has none of these, as the documents say for that
 * case.
 *
 * @param now - The time of the Central System, in milliseconds since the epoch.
 * @spec OCPP 1.6 §5.3, §5.4, §5.5, §5.7, §5.8, §5.10, §5.15, §5.16
 */
export function builtInHandlers(
  parts: BuiltInParts,
  now: () => number,
): ReadonlyMap<Action, AnyHandler<"ChargePoint">> {
  const { authorizationCache, configuration, localAuthList, smartCharging } = parts;
  const handlers = new Map<Action, AnyHandler<"ChargePoint">>();
  const handle = <A extends ActionTo<"ChargePoint">>(action: A, handler: Handler<"ChargePoint", A>): void => {
    handlers.set(action, handler);
  };
  if (configuration !== undefined) {
    handle("GetConfiguration", (req) => configuration.getConfiguration(req));
    handle("ChangeConfiguration", async (req, { answered, connection }) => {
      const conf = await configuration.changeConfiguration(req);
      // SEC-A01-13, SEC-A05-06: what was agreed upon is used from now on, so the next connection has to prove it.
      if (conf.status === "Accepted" && /^(?:AuthorizationKey|SecurityProfile)$/i.test(req.key)) {
        void answered.then(() => connection.close(1000, `${req.key} was changed`));
      }
      return conf;
    });
  }
  // SC-58: without it, these are not supported.
  if (smartCharging !== undefined) {
    handle("SetChargingProfile", (req) => smartCharging.setChargingProfile(req));
    handle("ClearChargingProfile", (req) => smartCharging.clearChargingProfile(req));
    handle("GetCompositeSchedule", (req) => smartCharging.getCompositeSchedule(req, now()));
  }
  // CORE-CL-02: a Charge Point without a cache rejects.
  handle("ClearCache", async () => ({ status: (await authorizationCache?.clear()) ?? "Rejected" }));
  // LAL-12: -1 says that there is no list at all.
  handle("GetLocalListVersion", () => ({ listVersion: localAuthList?.version ?? -1 }));
  handle("SendLocalList", async (req) => {
    if (localAuthList === undefined) return { status: "NotSupported" }; // LAL-29
    const status = await localAuthList.update(req);
    await authorizationCache?.removeListed(); // CORE-CACHE-09, LAL-34
    return { status };
  });
  return handlers;
}
