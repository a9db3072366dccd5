import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type FirmwareStatus,
  FirmwareUpdate,
  type FirmwareUpdateOutput,
  type FirmwareUpdateRecord,
} from "../../src/files/firmware-update.ts";

const minute = 60_000;
const ends: readonly FirmwareStatus[] = ["DownloadFailed", "InvalidSignature", "InstallationFailed", "Installed"];
/** In which order statuses are told. [SEC-L01-31] */
const steps: readonly FirmwareStatus[] = [
  "DownloadScheduled",
  "Downloading",
  "Downloaded",
  "SignatureVerified",
  "InstallScheduled",
  "Installing",
  "InstallRebooting",
];
const plain: readonly FirmwareStatus[] = ["Downloading", "Downloaded", "Installing"];

/** After which steps an update may have ended so. */
const endsAfter: Readonly<Partial<Record<FirmwareStatus, readonly FirmwareStatus[]>>> = {
  DownloadFailed: ["DownloadScheduled", "Downloading"],
  InvalidSignature: ["Downloaded"],
  // Where another one takes its place, it was only downloaded.
  InstallationFailed: ["Downloaded", "SignatureVerified", "InstallScheduled", "Installing", "InstallRebooting"],
  Installed: ["Installing", "InstallRebooting"],
};

/** An update with whoever does what it says, as a power cut leaves it. */
class Bench {
  update = new FirmwareUpdate();
  now = 0;
  /** By update: its number, or 0 for plain ones, of which there is one at a time. */
  readonly told: { readonly status: FirmwareStatus; readonly requestId: number | undefined }[] = [];
  kept: FirmwareUpdateRecord | undefined;
  doing: "download" | "verify" | "install" | undefined;
  isOut = false;
  isCharging = false;
  /** What must not be. */
  readonly broken: string[] = [];
  #requests = 0;
  #verified: string | undefined;
  #isHeld = false;
  /** How often it may yet fail to be fetched. */
  #left = 0;

  take(): void {
    for (let output = this.update.poll(); output !== undefined; output = this.update.poll()) this.#perform(output);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.update.deadline <= end) {
      this.now = Math.max(this.now, this.update.deadline);
      this.update.advance(this.now);
      this.take();
    }
    this.now = end;
  }

  request({ delay, installDelay, isSigned, isAnswered, retries, stopsMeanwhile }: Request): void {
    if (this.update.isInstalling) return;
    const order = {
      url: "http://h/f",
      retrieveAt: this.now + delay,
      retries,
      retryInterval: 60,
      ...(isSigned && {
        installAt: this.now + installDelay,
        signed: { requestId: ++this.#requests, signature: `of ${this.#requests}`, signingCertificate: "PEM" },
      }),
    };
    this.update.held();
    this.#isHeld = true;
    if (stopsMeanwhile) this.charging(false);
    this.#isHeld = false;
    if (isAnswered) {
      this.update.requested(order, this.now);
      this.#left = retries;
    } else this.update.released();
    this.take();
  }

  done(works: boolean, restarts: boolean): void {
    const { doing } = this;
    this.doing = undefined;
    if (doing === "download") {
      this.update.downloaded(works ? "/f" : undefined, this.now);
      if (!works && this.update.isUnderWay !== this.#left > 0) this.broken.push("it is given up early, or late");
      if (!works) this.#left -= 1;
    }
    if (doing === "verify") {
      this.#verified = works ? this.update.signedStatus.requestId?.toString() : undefined;
      this.update.verified(works, this.now);
    } else if (doing === "install") this.update.installed(!works ? "failed" : restarts ? "restart" : "installed");
    this.take();
  }

  charging(isCharging: boolean): void {
    this.isCharging = isCharging;
    this.update.charging(isCharging);
    this.take();
  }

  /** What was told is delivered, since that is kept; what ran is gone. */
  powerCut(isInstalled: boolean): void {
    this.update = new FirmwareUpdate();
    this.doing = undefined;
    this.isOut = false;
    if (this.kept !== undefined) this.update.restored(this.kept, isInstalled, this.now);
    this.charging(this.isCharging);
  }

  #perform(output: FirmwareUpdateOutput): void {
    switch (output.type) {
      case "status":
        this.told.push(output);
        break;
      case "keep":
        this.kept = output.record;
        break;
      case "abort":
        this.doing = undefined;
        break;
      case "outOfService":
        this.isOut = output.isOut;
        break;
      case "restart":
        break;
      case "install":
        if (this.isCharging) this.broken.push("it is installed while somebody charges");
        if (this.#isHeld) this.broken.push("it is installed while another one may take its place");
        if (!this.isOut) this.broken.push("it is installed while connectors are in service");
        if (this.kept?.signed !== undefined && this.#verified !== `${this.kept.signed.requestId}`) {
          this.broken.push("it is installed unverified");
        }
        this.doing = output.type;
        break;
      default:
        this.doing = output.type;
    }
  }
}

interface Request {
  readonly delay: number;
  readonly installDelay: number;
  readonly isSigned: boolean;
  readonly isAnswered: boolean;
  readonly retries: number;
  /** Whether transactions end between the decision and the answer. */
  readonly stopsMeanwhile: boolean;
}

type Deed = (bench: Bench) => void;

const deedsOf = (isSigned: boolean): fc.Arbitrary<Deed> =>
  fc.oneof(
    fc
      .record({
        delay: fc.constantFrom(-minute, -minute, 0, minute, 10 * minute),
        installDelay: fc.constantFrom(-minute, -minute, 0, minute, 20 * minute),
        isSigned: fc.constant(isSigned),
        isAnswered: fc.boolean(),
        retries: fc.nat(2),
        stopsMeanwhile: fc.boolean(),
      })
      .map((request) => (bench: Bench) => bench.request(request)),
    fc.nat(5 * minute).map((ms) => (bench: Bench) => bench.pass(ms)),
    fc.constantFrom(true, true, false).map((is) => (bench: Bench) => bench.charging(is)),
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(true, true, false), fc.boolean())
        .map((how) => (bench: Bench) => bench.done(...how)),
    },
    fc.boolean().map((isInstalled) => (bench: Bench) => bench.powerCut(isInstalled)),
  );

test.each([
  ["plain", false],
  ["signed", true],
] as const)(
  "each %s update that was begun ends with exactly one end, in order, whatever is cut, slow or replaced; none is installed unverified or while somebody charges; connectors come back [FM-23] [FM-25] [FM-26] [SEC-L01-06] [SEC-L01-07] [SEC-L01-10] [SEC-L01-18] [SEC-L01-19] [SEC-L01-31] [SEC-MSG-22]",
  (_, isSigned) => {
    fc.assert(
      fc.property(fc.array(deedsOf(isSigned), { maxLength: 40 }), (deeds) => {
        const bench = new Bench();
        bench.charging(false);
        for (const deed of deeds) {
          deed(bench);
          if (!bench.update.isUnderWay) expect(bench.isOut).toBe(false);
        }
        // All goes well from now on.
        bench.charging(false);
        for (let step = 0; step < 12; step++) {
          bench.pass(30 * minute);
          bench.done(true, false);
          if (bench.kept?.phase === "restarting") bench.powerCut(true);
        }
        expect(bench.broken).toEqual([]);
        expect([bench.update.isUnderWay, bench.isOut, bench.update.status]).toEqual([false, false, "Idle"]);
        expect(bench.kept === undefined || bench.kept.phase === "failed").toBe(true);
        // By updates: each rises through the steps, and has its end last.
        const last = new Map<number | undefined, FirmwareStatus | undefined>();
        for (const { requestId, status } of bench.told) {
          expect(requestId === undefined).toBe(!isSigned);
          const before = last.get(requestId);
          if (ends.includes(status)) {
            expect(endsAfter[status]).toContain(before);
            // There is one plain update at a time.
            last.set(requestId, isSigned ? status : undefined);
          } else {
            if (!isSigned) expect(plain).toContain(status);
            const from = before === undefined ? -1 : steps.indexOf(before);
            expect(before === undefined || steps.includes(before)).toBe(true);
            expect(steps.indexOf(status)).toBeGreaterThan(from);
            last.set(requestId, status);
          }
        }
        for (const status of last.values()) expect(status === undefined || ends.includes(status)).toBe(true);
      }),
      { numRuns: 800 },
    );
  },
);
