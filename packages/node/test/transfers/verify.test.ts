import { constants, createHash, generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type Issued, OpensslAuthority } from "../openssl.ts";
import { bytesOf, newFolder, newTransfers } from "./set-up.ts";

const file = bytesOf(3_000_000);
let rsa: Issued;
let ec: Issued;

beforeAll(() => {
  const authority = OpensslAuthority.create();
  rsa = authority.issue({ subject: "/CN=Firmware", key: "rsa" });
  ec = authority.issue({ subject: "/CN=Firmware" });
});

const pss = (key: string, hash = "sha256") =>
  sign(hash, file, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString("base64");

/** Whether a signature is one of the firmware. */
async function isSigned(signature: string, signingCertificate: string, content = file): Promise<boolean> {
  const path = `${newFolder()}/image`;
  writeFileSync(path, content);
  return newTransfers().verify(path, { signature, signingCertificate });
}

describe("the signature of firmware [SEC-L01-04, SEC-L01-12]", () => {
  test("may be of RSA-PSS or ECDSA, with SHA-256", async () => {
    expect(await isSigned(pss(rsa.key), rsa.cert)).toBe(true);
    expect(await isSigned(sign("sha256", file, ec.key).toString("base64"), ec.cert)).toBe(true);
  });

  test("is of the whole file", async () => {
    const signature = pss(rsa.key);
    expect(await isSigned(signature, rsa.cert, file.subarray(0, -1))).toBe(false);
    expect(await isSigned(signature, rsa.cert, Buffer.concat([file, Buffer.alloc(1)]))).toBe(false);
  });

  test("is none of another padding, hash or key", async () => {
    expect(await isSigned(sign("sha256", file, rsa.key).toString("base64"), rsa.cert)).toBe(false);
    expect(await isSigned(pss(rsa.key, "sha512"), rsa.cert)).toBe(false);
    expect(await isSigned(sign("sha512", file, ec.key).toString("base64"), ec.cert)).toBe(false);
    expect(await isSigned(pss(rsa.key), ec.cert)).toBe(false);
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(await isSigned(pss(String(privateKey.export({ type: "pkcs8", format: "pem" }))), rsa.cert)).toBe(false);
  });

  test.each(["", "no base64 at all!", createHash("sha256").update(file).digest("base64")])(
    "is not %j",
    async (signature) => {
      expect(await isSigned(signature, rsa.cert)).toBe(false);
      expect(await isSigned(signature, ec.cert)).toBe(false);
    },
  );

  test("is none where the certificate is none", async () => {
    expect(await isSigned(pss(rsa.key), "no certificate")).toBe(false);
  });

  test("of a file that is not there cannot be told", async () => {
    const asked = newTransfers().verify("/nowhere/image", { signature: pss(rsa.key), signingCertificate: rsa.cert });
    await expect(asked).rejects.toMatchObject({ code: "ENOENT" });
  });
});
