import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Channel } from "@ocppj/core";
import { subjectOf } from "./certificate-ends.ts";
import type { SecurityProfile } from "./security-profile.ts";

/** What a connection runs on. */
export function channelOf(
  socket: Socket,
  securityProfile: SecurityProfile,
  subprotocol: string,
  certificate: X509Certificate | undefined,
): Channel {
  const version = socket instanceof TLSSocket ? socket.getProtocol() : null;
  return {
    securityProfile,
    subprotocol,
    ...(version !== null && { tls: { version, cipherSuite: (socket as TLSSocket).getCipher().name } }),
    ...(certificate !== undefined && {
      certificate: {
        subject: subjectOf(certificate),
        serialNumber: certificate.serialNumber,
        validTo: new Date(certificate.validTo),
      },
    }),
  };
}
