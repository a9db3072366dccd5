export { arbitraryFrame, arbitraryMutatedFrame } from "./arbitrary-frames.ts";
export {
  arbitraryConf,
  arbitraryInvalidConf,
  arbitraryInvalidReq,
  arbitraryReq,
  type InvalidPayload,
  type PayloadViolation,
} from "./arbitrary-payloads.ts";
export { FakeClock, type FakeClockOptions } from "./fake-clock.ts";
export {
  type ContractHardware,
  type HardwareContractCase,
  type HardwareContractOptions,
  hardwareContract,
  type OpenedHardware,
} from "./hardware-contract.ts";
export { type QuirkContractCase, type QuirkContractOptions, quirkContract } from "./quirk-contract.ts";
export {
  type RecordStoreContractCase,
  type RecordStoreContractOptions,
  recordStoreContract,
} from "./record-store-contract.ts";
export type { StoreDamageOptions, StoreFiles } from "./record-store-damage.ts";
export { seeded } from "./seeded.ts";
export {
  type OpenedTransport,
  type TransportContractCase,
  type TransportContractOptions,
  type TransportPeer,
  transportContract,
} from "./transport-contract.ts";
export {
  type LinkedTransport,
  type TransportPair,
  type TransportPairOptions,
  transportPair,
} from "./transport-pair.ts";
