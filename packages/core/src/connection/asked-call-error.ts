import { type CallError, detailsOf, errorCodes } from "../errors.ts";

/** What the peer is told of an error that was not meant for it: nothing. [J-083, J-D18] */
export const internalError: Asked = {
  code: "InternalError",
  description: "The action could not be carried out.",
  details: {},
};

type Asked = Pick<CallError, "code" | "description" | "details">;

/** The CALLERROR that a handler asks for with what it throws; not with what a CALL of its own was answered with. [J-D17] */
export function askedWith(error: unknown): Asked | undefined {
  try {
    if (!(error instanceof Error) || error.name !== "CallError") return undefined;
    const { code, description, details, messageId } = error as CallError;
    if (messageId !== undefined || !Object.hasOwn(errorCodes, code)) return undefined;
    return { code, description: String(description), details: detailsOf(details) };
  } catch {
    return undefined; // Something that cannot even be looked at.
  }
}
