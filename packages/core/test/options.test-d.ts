import type {
  FakeClockOptions,
  QuirkContractOptions,
  RecordStoreContractOptions,
  StoreDamageOptions,
  TransportContractOptions,
  TransportPairOptions,
} from "@ocppj/testing";
import { expectTypeOf, test } from "vitest";
import type {
  AuthorizationCacheOptions,
  AuthorizeOptions,
  CallErrorOptions,
  CallOptions,
  CentralSystemOptions,
  ChargePointOptions,
  ConfigurationKeyOptions,
  ConfigurationOptions,
  ConnectionOptions,
  DrainOptions,
  EnrolledCredentials,
  HandshakeErrorOptions,
  KnownCredentialsOptions,
  LocalAuthListOptions,
  OptionRule,
  OptionRules,
  OwnCredentialsOptions,
  PasswordHashOptions,
  PlausibilityOptions,
  ProvisioningOptions,
  ReconnectOptions,
  Role,
  SmartChargingOptions,
  StandardKeys,
  VendorKey,
  WantedConfiguration,
} from "../src/index.ts";

type Optional<Options> = {
  [Name in keyof Options]-?: Record<never, never> extends Pick<Options, Name> ? Name : never;
}[keyof Options];

/** Every option that may be left out, as `undefined`. */
type Undefined<Options> = { [Name in Optional<Options>]: undefined };

/** Those that refuse it. */
type Refusing<Options> = Undefined<Options> extends Pick<Options, Optional<Options>> ? never : Options;

type All =
  | Refusing<AuthorizationCacheOptions>
  | Refusing<AuthorizeOptions>
  | Refusing<CallErrorOptions>
  | Refusing<CallOptions>
  | Refusing<CentralSystemOptions>
  | Refusing<ChargePointOptions>
  | Refusing<ConfigurationKeyOptions<"MeterValueSampleInterval">>
  | Refusing<ConfigurationOptions>
  | Refusing<ConnectionOptions<Role>>
  | Refusing<DrainOptions>
  | Refusing<EnrolledCredentials>
  | Refusing<FakeClockOptions>
  | Refusing<HandshakeErrorOptions>
  | Refusing<KnownCredentialsOptions>
  | Refusing<LocalAuthListOptions>
  | Refusing<OwnCredentialsOptions>
  | Refusing<PasswordHashOptions>
  | Refusing<PlausibilityOptions>
  | Refusing<ProvisioningOptions>
  | Refusing<QuirkContractOptions>
  | Refusing<ReconnectOptions>
  | Refusing<RecordStoreContractOptions>
  | Refusing<SmartChargingOptions>
  | Refusing<StandardKeys>
  | Refusing<StoreDamageOptions>
  | Refusing<TransportContractOptions>
  | Refusing<TransportPairOptions>
  | Refusing<VendorKey>
  | Refusing<WantedConfiguration>;

test("undefined is like leaving it out, for every option", () => {
  expectTypeOf<All>().toEqualTypeOf<never>();
});

test("an option that refuses undefined has no rule, so that nobody forgets it", () => {
  interface Careless {
    readonly timeoutMs?: number;
  }
  interface Careful {
    readonly timeoutMs?: number | undefined;
  }
  expectTypeOf<OptionRules<Careless>["timeoutMs"]>().toEqualTypeOf<never>();
  expectTypeOf<OptionRules<Careful>["timeoutMs"]>().toEqualTypeOf<OptionRule>();
});
