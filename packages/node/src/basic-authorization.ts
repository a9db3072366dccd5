/**
 * The `Authorization` header of a Charge Point: its identity and the raw bytes of its key.
 *
 * @param identity - Not percent-encoded. [J-175]
 * @param password - The bytes themselves, not their hexadecimal text. [J-176]
 * @spec OCPP-J 1.6 §6.2.2 [J-174, J-175, J-176]
 */
export function basicAuthorization(identity: string, password: Uint8Array): string {
  return `Basic ${Buffer.concat([Buffer.from(`${identity}:`), password]).toString("base64")}`;
}

/** The bytes in an `Authorization` header of the scheme Basic; `undefined` when there is none. */
export function basicCredentials(authorization: string | undefined): Uint8Array | undefined {
  const [, base64] = /^basic +(\S+)\s*$/i.exec(authorization ?? "") ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}

/**
 * The password in the credentials of a Charge Point; `undefined` when their user name is not its identity.
 *
 * The identity is known beforehand, so one with a colon in it can be told from the password.
 */
export function passwordOf(identity: string, credentials: Uint8Array): Uint8Array | undefined {
  const userName = Buffer.from(`${identity}:`);
  if (!userName.equals(credentials.subarray(0, userName.length))) return undefined;
  return Uint8Array.from(credentials.subarray(userName.length));
}
