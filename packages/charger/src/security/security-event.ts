/**
 * The security events that there are. `isTold`: the Central System is told at once, of what is critical, and of what the use
 * cases want it to be told besides. `repeats`: it may happen again and again for as long as something is wrong, and is then
 * counted. All of them are in the security log.
 *
 * @spec security white paper §8, A04 [SEC-EV-01 … SEC-EV-18, SEC-A04-01, SEC-A04-04]
 */
export const securityEvents = {
  FirmwareUpdated: { isTold: true, repeats: false },
  FailedToAuthenticateAtCentralSystem: { isTold: false, repeats: true },
  CentralSystemFailedToAuthenticate: { isTold: false, repeats: true },
  SettingSystemTime: { isTold: true, repeats: false },
  StartupOfTheDevice: { isTold: true, repeats: false },
  ResetOrReboot: { isTold: true, repeats: false },
  SecurityLogWasCleared: { isTold: true, repeats: false },
  ReconfigurationOfSecurityParameters: { isTold: false, repeats: false },
  MemoryExhaustion: { isTold: true, repeats: true },
  InvalidMessages: { isTold: false, repeats: true },
  AttemptedReplayAttacks: { isTold: false, repeats: true },
  TamperDetectionActivated: { isTold: true, repeats: false },
  InvalidFirmwareSignature: { isTold: true, repeats: false }, // SEC-L01-03
  InvalidFirmwareSigningCertificate: { isTold: true, repeats: false }, // SEC-L01-02
  InvalidCentralSystemCertificate: { isTold: true, repeats: true }, // SEC-A00-309, SEC-A00-413
  InvalidChargePointCertificate: { isTold: true, repeats: false }, // SEC-A02-07
  InvalidTLSVersion: { isTold: true, repeats: true }, // SEC-A00-315
  InvalidTLSCipherSuite: { isTold: true, repeats: true }, // SEC-A00-322
} as const;

export type SecurityEventType = keyof typeof securityEvents;

/** Something that matters to security has happened. */
export interface SecurityEvent {
  readonly type: SecurityEventType;
  /** In milliseconds since the epoch. */
  readonly at: number;
  /** What more is known, for a technician; nothing secret. */
  readonly techInfo?: string | undefined;
}
