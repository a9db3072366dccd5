import assert from "node:assert/strict";
// #region imports
import {
  CentralSystem,
  ChargePoint,
  Configuration,
  encode,
  KnownCredentials,
  memoryStore,
  OwnCredentials,
  redacted,
} from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

// #endregion

const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
const report = (error: Error): void => log(error.message);
const rows = new Map();
const factoryKey = "00112233445566778899aabbccddeeff00112233";

/** Resolves when a line contains `part`. */
async function until(part: string): Promise<void> {
  for (let waited = 0; !lines.some((line) => line.includes(part)); waited += 10) {
    assert(waited < 20_000, `It was not said "${part}":\n${lines.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// #region known
const centralSystem = new CentralSystem();
const credentials = new KnownCredentials({
  centralSystem,
  store: {
    get: async (identity) => rows.get(identity),
    set: async (identity, record) => void rows.set(identity, record), // Resolves when it would survive a crash.
  },
});
await credentials.enroll("CP001", { authorizationKey: factoryKey, securityProfile: 1 });

const listener = await listen(centralSystem, {
  path: "/ocpp",
  securityProfile: 1,
  authenticate: (attempt) => credentials.authenticate({ ...attempt, securityProfile: 1 }),
});
// #endregion

// #region onboarding
const personalized = new Set<string>();

/** Gives a Charge Point a key that nobody else knows. */
async function personalize(identity: string): Promise<void> {
  try {
    const status = await credentials.changeAuthorizationKey(identity);
    log(`${identity} answered ${status}`);
    if (status === "Accepted") personalized.add(identity);
  } catch (error) {
    log(`${error} Both keys of ${identity} count until it has used one.`);
  }
}

centralSystem.handle("BootNotification", (_, { answered, connection: { identity } }) => {
  const status = personalized.has(identity) ? "Accepted" : "Pending";
  if (status === "Pending") void answered.then(() => personalize(identity));
  return { status, currentTime: new Date().toISOString(), interval: status === "Accepted" ? 300 : 1 };
});
// #endregion

// #region redacted
centralSystem.on("message", ({ identity, direction, frame }) => {
  log(`${identity} ${direction} ${encode(redacted(frame))}`);
});
// #endregion

const store = memoryStore(); // A real charger has one that lasts.
const { url } = listener;
const urls = { 0: url, 1: url, 2: url.replace("ws:", "wss:"), 3: url.replace("ws:", "wss:") };

// #region own
const configuration = await Configuration.load({
  store,
  report,
  keys: {
    NumberOfConnectors: { value: 1 },
    SupportedFeatureProfiles: { value: ["Core"] },
    AuthorizationKey: { value: factoryKey },
    SecurityProfile: { value: 1 },
  },
});
const ownCredentials = await OwnCredentials.load({ configuration, store, report });

const chargePoint = new ChargePoint({
  identity: "CP001",
  url,
  connect: ownCredentials.connect((credential) => {
    const open = connect(credential); // And `tls`, from profile 2 on.
    return (target) => open({ ...target, url: urls[credential.securityProfile] });
  }),
  boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
  store,
  configuration,
});
configuration.listen("AuthorizationKey", () => log("Security log: AuthorizationKey was changed"));
// #endregion

chargePoint.on("registration", ({ status }) => log(`the charge point is ${status}`));
await chargePoint.start();
await until("CP001 answered Accepted");
await until("the charge point is Accepted");
const key = configuration.get("AuthorizationKey") ?? "";
assert.notEqual(key, factoryKey);
assert(lines.includes("Security log: AuthorizationKey was changed"));
assert(lines.some((line) => line.includes('"key":"AuthorizationKey","value":"(redacted)"')));
assert(!lines.some((line) => line.includes(key)));
assert.equal(
  await credentials.authenticate({ identity: "CP001", password: Buffer.from(factoryKey, "hex"), securityProfile: 1 }),
  false,
);

// #region raise
/** Has a Charge Point come back with TLS; from then on it may not come without. */
async function secure(identity: string): Promise<string> {
  const status = await credentials.raiseSecurityProfile(identity, 2);
  return status === "Accepted" ? "It will try, and come back as before if it cannot." : `It answered ${status}.`;
}
// #endregion
assert.match(await secure("CP001"), /^It will try/);
await chargePoint.stop();
await listener.close();
