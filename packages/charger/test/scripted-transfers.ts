import type { FileTransfers } from "../src/index.ts";

type Outcome = "works" | "fails" | "hangs" | "PermissionDenied" | "BadMessage" | "NotSupportedOperation" | "nonsense";

/** Transfers that do what a test says, and write down what they were asked for. */
export class ScriptedTransfers implements FileTransfers {
  readonly protocols = ["HTTP", "FTP"] as const;
  readonly asked: string[] = [];
  /** What was in what was delivered last, where that was no file. */
  contents = "";
  /** How each attempt ends, in order; the last one goes on. */
  outcomes: Outcome[] = ["works"];
  /** What `verify` says. */
  verifies: () => Promise<boolean> = async () => true;

  async download(url: string): Promise<string> {
    this.asked.push(`download ${url}`);
    await this.#end();
    return "/tmp/firmware";
  }

  async upload(url: string, source: string | Uint8Array, { fileName }: { readonly fileName: string }): Promise<void> {
    if (typeof source !== "string") this.contents = new TextDecoder().decode(source);
    this.asked.push(`upload ${typeof source === "string" ? source : "contents"} as ${fileName} to ${url}`);
    await this.#end();
  }

  verify(file: string, { signature }: { readonly signature: string }): Promise<boolean> {
    this.asked.push(`verify ${signature} of ${file}`);
    return this.verifies();
  }

  async #end(): Promise<void> {
    const [outcome] = this.outcomes.length > 1 ? this.outcomes.splice(0, 1) : this.outcomes;
    if (outcome === "hangs") await new Promise(() => {});
    if (outcome === "fails") throw new Error("No such file.");
    if (outcome !== "works") throw Object.assign(new Error("It is refused."), { reason: outcome });
  }
}
