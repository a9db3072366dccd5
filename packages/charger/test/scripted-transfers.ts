import type { AbortSignalLike } from "@ocppj/core";
import type { FileJobsParts } from "../src/file-jobs.ts";
import type { FirmwareTrust } from "../src/files/firmware-trust.ts";
import { type FileTransfers, type FirmwareManagement, firmwareManagement } from "../src/index.ts";

type Outcome = "works" | "fails" | "hangs" | Error;

/** Transfers that do what a test says, and write down what they were asked for. */
export class ScriptedTransfers implements FileTransfers {
  readonly protocols = ["HTTP", "FTP"] as const;
  readonly asked: string[] = [];
  /** Those of the downloads. */
  readonly signals: AbortSignalLike[] = [];
  /** How each attempt ends, in order; the last one goes on. */
  outcomes: Outcome[] = ["works"];

  async download(url: string, { signal }: { readonly signal: AbortSignalLike }): Promise<string> {
    this.asked.push(`download ${url}`);
    this.signals.push(signal);
    await this.#end();
    return "/tmp/firmware";
  }

  async upload(url: string, file: string | Uint8Array, { fileName }: { readonly fileName: string }): Promise<void> {
    const what = typeof file === "string" ? file : `"${new TextDecoder().decode(file)}"`;
    this.asked.push(`upload ${what} as ${fileName} to ${url}`);
    await this.#end();
  }

  async #end(): Promise<void> {
    const [outcome] = this.outcomes.length > 1 ? this.outcomes.splice(0, 1) : this.outcomes;
    if (outcome === "fails") throw new Error("No such file.");
    if (outcome instanceof Error) throw outcome;
    if (outcome === "hangs") await new Promise(() => {});
  }
}

/** Trust that says what a test says. */
export class ScriptedTrust implements FirmwareTrust {
  readonly asked: string[] = [];
  checking: () => Promise<Awaited<ReturnType<FirmwareTrust["check"]>>> = async () => "Accepted";
  verifying: () => Promise<boolean> = async () => true;

  check(signingCertificate: string): ReturnType<FirmwareTrust["check"]> {
    this.asked.push(`check ${signingCertificate}`);
    return this.checking();
  }

  verify(file: string, { signature, signingCertificate }: Parameters<FirmwareTrust["verify"]>[1]): Promise<boolean> {
    this.asked.push(`verify ${file} ${signature} ${signingCertificate}`);
    return this.verifying();
  }
}

/** What a Charger is given, with more parts than it has by itself. */
export function managing(transfers: FileTransfers, more: Partial<FileJobsParts> = {}): FirmwareManagement {
  const management = firmwareManagement(transfers);
  return { ...management, open: (parts) => management.open({ ...parts, ...more }) };
}
