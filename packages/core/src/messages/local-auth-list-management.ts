import * as z from "zod/mini";
import { AuthorizationData, action, Integer } from "./types.ts";

/**
 * Asks for the version of the Local Authorization List.
 *
 * @spec OCPP 1.6 §5.10, §6.27, §6.28
 */
export const GetLocalListVersion = action({
  from: ["CentralSystem"],
  profile: "LocalAuthListManagement",
  req: z.strictObject({}),
  conf: z.strictObject({
    /** 0: the list is empty. -1: lists are not supported. */
    listVersion: Integer,
  }),
});

/**
 * Replaces or changes the Local Authorization List.
 *
 * @spec OCPP 1.6 §5.15, §6.41, §6.42
 */
export const SendLocalList = action({
  from: ["CentralSystem"],
  profile: "LocalAuthListManagement",
  /** A full update without `localAuthorizationList` empties the list. */
  req: z.strictObject({
    /** Of the list after the update; never 0 or -1 (errata 3.52). */
    listVersion: Integer,
    localAuthorizationList: z.optional(z.array(AuthorizationData)),
    updateType: z.enum(["Differential", "Full"]),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Failed", "NotSupported", "VersionMismatch"]),
  }),
});
