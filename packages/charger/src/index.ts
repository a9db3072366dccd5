export type {
  CertificateHashData,
  CertificateTools,
  ReadCertificate,
  RootType,
} from "./certificates/certificate-tools.ts";
export { type Certificates, type CertificatesOptions, certificates } from "./certificates/certificates.ts";
export type { ConnectingTls } from "./certificates/connecting.ts";
export { Charger, type ChargerEvents } from "./charger.ts";
export type { ChargerOptions } from "./charger-options.ts";
export type { ChargerState, ConnectorState, ConnectorStatus, SessionState } from "./charger-state.ts";
export type { FileTransfers, UploadError } from "./files/file-transfers.ts";
export { type FirmwareManagement, firmwareManagement } from "./firmware-management.ts";
export type {
  ConnectorHardware,
  DiagnosticsFile,
  DiagnosticsRange,
  FirmwareSigner,
  Hardware,
  HardwareError,
  HardwareListener,
  Installation,
  Offer,
  Unlocking,
} from "./hardware/hardware.ts";
export type { Measurand, Phase, Reading } from "./hardware/reading.ts";
export type { SecurityOptions } from "./security/security.ts";
export type { SecurityEvent, SecurityEventType } from "./security/security-event.ts";
export type { SecurityLogEntry } from "./security/security-log.ts";
export { type SecurityWhitePaper, security } from "./security/security-white-paper.ts";
export type { Car } from "./simulated/car.ts";
export {
  type Failing,
  type SimulatedConnectorState,
  type SimulatedHardware,
  type SimulatedHardwareOptions,
  type SimulatedMethod,
  simulatedHardware,
} from "./simulated/simulated-hardware.ts";
export {
  type FailingTransfer,
  type SimulatedTransfers,
  type SimulatedTransfersOptions,
  simulatedTransfers,
} from "./simulated/simulated-transfers.ts";
