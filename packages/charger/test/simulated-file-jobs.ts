import type { FakeClock } from "@ocppj/testing";
import type { FirmwareTrust } from "../src/files/firmware-trust.ts";
import type { FileTransfers, FirmwareManagement, Installation } from "../src/index.ts";
import type { ChargerSite } from "./charger-site.ts";
import { minute, second } from "./charger-site.ts";
import { managing } from "./scripted-transfers.ts";

const signedEnds = [
  "DownloadFailed",
  "InvalidSignature",
  "InstallVerificationFailed",
  "InstallationFailed",
  "Installed",
];
const logEnds = ["BadMessage", "NotSupportedOperation", "PermissionDenied", "Uploaded", "UploadFailure"];

interface Told {
  readonly requestId?: number;
  readonly status: string;
}

/** Files, trust and installations in the world of a charger. */
export class SimulatedFileJobs implements FileTransfers, FirmwareTrust {
  readonly protocols = ["HTTP"] as const;
  /** Whether files travel at present. */
  travels = true;
  /** How an installation ends. */
  installing: Installation | "fails" = "installed";
  /** Whether firmware is being installed, up to the restart that it needs. */
  isInstalling = false;
  /** The files that were fetched, and whether they are what their signatures say. */
  readonly #files = new Map<string, boolean>();
  readonly #verified = new Set<string>();
  readonly #clock: FakeClock;
  readonly #break: (law: string) => void;

  constructor(clock: FakeClock, breaks: (law: string) => void) {
    this.#clock = clock;
    this.#break = breaks;
  }

  get management(): FirmwareManagement {
    return managing(this, { trust: this, securityLog: () => "nothing" });
  }

  async download(url: string): Promise<string> {
    await this.#travel();
    const file = `/firmware/${this.#files.size}`;
    this.#files.set(file, url.endsWith("good"));
    return file;
  }

  upload(): Promise<void> {
    return this.#travel();
  }

  async check(signingCertificate: string): ReturnType<FirmwareTrust["check"]> {
    await this.#wait(100);
    return signingCertificate === "revoked" ? "RevokedCertificate" : "Accepted";
  }

  async verify(file: string): Promise<boolean> {
    await this.#wait(3 * second);
    const isGood = this.#files.get(file) === true;
    if (isGood) this.#verified.add(file);
    return isGood;
  }

  /** The hardware installs a file, while these transactions run. */
  async install(file: string, transactions: number): Promise<Installation> {
    if (!this.#verified.has(file)) this.#break(`${file} is installed, which was not verified`);
    if (transactions > 0) this.#break(`firmware is installed while ${transactions} transactions run`);
    this.isInstalling = true;
    const { installing } = this;
    await this.#wait(10 * second);
    this.isInstalling = installing === "restart";
    if (installing === "fails") throw new Error("It is no firmware.");
    return installing;
  }

  /** Each job that was told of has ended in one way, but where the disk has lost what was written before a moment. */
  settle(site: ChargerSite, excusedUntil: number): void {
    const jobs = [
      { action: "SignedFirmwareStatusNotification", ends: signedEnds },
      { action: "LogStatusNotification", ends: logEnds },
    ];
    for (const { action, ends } of jobs) {
      const statuses = new Map<number, { readonly since: number; readonly said: string[] }>();
      for (const { at, payload } of site.received.filter((each) => each.action === action)) {
        const { requestId, status } = payload as Told;
        if (requestId === undefined && status !== "Idle") this.#break(`${action} ${status} of nothing`);
        if (requestId === undefined) continue;
        const job = statuses.get(requestId) ?? { since: at, said: [] };
        statuses.set(requestId, job);
        job.said.push(status);
      }
      for (const [requestId, { said, since }] of statuses) {
        const ended = new Set(said.filter((status) => ends.includes(status)));
        if (ended.size !== 1 && since > excusedUntil) this.#break(`${action} ${requestId}: ${said.join(" ")}`);
      }
    }
  }

  async #travel(): Promise<void> {
    await this.#wait(minute / 2);
    if (!this.travels) throw new Error("No route to host.");
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.wakeAt(this.#clock.now() + ms, resolve));
  }
}
