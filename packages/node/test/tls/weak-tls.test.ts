import { createServer, type Server } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { CentralSystem } from "@ocppj/core";
import { expect, test, vi } from "vitest";
import { connect, listen } from "../../src/index.ts";

/** As with BoringSSL, which Bun and Electron have. */
vi.mock("node:tls", async (original) => {
  const tls = await original<typeof import("node:tls")>();
  const createSecureContext = (options: SecureContextOptions = {}) => {
    if (options.ciphers?.includes("@SECLEVEL")) throw new Error("INVALID_COMMAND");
    return tls.createSecureContext(options);
  };
  return { ...tls, createSecureContext };
});

const refusal = (profile: number) =>
  new TypeError(
    `securityProfile ${profile} has to refuse weak keys, which the TLS of this runtime cannot. Use Node.js, whose OpenSSL can.`,
  );

const authenticate = () => true;

test.each([2, 3] as const)(
  "profile %d is refused at once, at both ends, where TLS cannot refuse weak keys",
  async (securityProfile) => {
    const authorizationKey = "00".repeat(16);
    const tls = { cert: "cert", key: "key", ca: "ca" };
    expect(() => connect({ securityProfile, authorizationKey, tls })).toThrow(refusal(securityProfile));
    await expect(listen(new CentralSystem(), { securityProfile, authenticate, tls })).rejects.toThrow(
      refusal(securityProfile),
    );
    const server: Server = createServer();
    await expect(listen(new CentralSystem(), { securityProfile, authenticate, server })).rejects.toThrow(
      refusal(securityProfile),
    );
  },
);

test("the profiles without TLS work there", async () => {
  expect(() => connect()).not.toThrow();
  expect(() => connect({ securityProfile: 1, authorizationKey: "00".repeat(16) })).not.toThrow();
  const listener = await listen(new CentralSystem(), { securityProfile: 1, authenticate });
  await listener.close();
});
