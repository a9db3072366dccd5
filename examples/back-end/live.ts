import type { ServerResponse } from "node:http";
import { type CentralSystem, type Frame, redacted } from "@ocppj/core";
import type { Charger, Chargers } from "./chargers.ts";

/** How much is shown and kept for the page. */
export interface LiveOptions {
  /** How many frames a page that is opened now gets to see. Default 200. */
  readonly frames?: number;
  /** After how many milliseconds what has changed is sent, all at once. Default 100. */
  readonly intervalMs?: number;
  /**
   * How many bytes may wait for a reader, besides what it gets first; one that is slower is disconnected, and comes back
   * by itself. Default 4 MiB.
   */
  readonly maxBufferedBytes?: number;
}

/** A charger as the page shows it. */
export interface LiveCharger extends Charger {
  readonly online: boolean;
}

/** A frame as the page shows it: without secrets, and cut where it gets long. */
export interface LiveFrame {
  /** Counts the frames, so that the page can tell them apart. */
  readonly number: number;
  readonly time: string;
  readonly identity: string;
  /** `in`: from the charger. */
  readonly direction: "in" | "out";
  readonly type: Frame["type"];
  readonly messageId: string;
  /** The action of a CALL, the code of a CALLERROR. */
  readonly title: string;
  readonly payload: string;
}

/** Tells browsers what happens, while it does, as server-sent events of one kind: what is new since the last. */
export class Live {
  readonly #centralSystem: CentralSystem;
  readonly #chargers: Chargers;
  readonly #frameCount: number;
  readonly #intervalMs: number;
  readonly #maxBufferedBytes: number;
  /** Everybody who listens, and how many bytes may wait for them. */
  readonly #readers = new Map<ServerResponse, number>();
  /** The latest frames, for those who come later. */
  readonly #frames: LiveFrame[] = [];
  readonly #changed = new Set<string>();
  #number = 0;
  /** The number of the last frame that everybody has got. */
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;
  /** So that a proxy does not take silence for the end. */
  readonly #keepAlive = setInterval(() => this.#write(":\n\n"), 15_000).unref();

  constructor(centralSystem: CentralSystem, chargers: Chargers, options: LiveOptions = {}) {
    this.#centralSystem = centralSystem;
    this.#chargers = chargers;
    this.#frameCount = options.frames ?? 200;
    this.#intervalMs = options.intervalMs ?? 100;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 4 * 2 ** 20;
    centralSystem.on("connected", ({ identity }) => this.changed(identity));
    centralSystem.on("disconnected", ({ identity }) => this.changed(identity));
    centralSystem.on("message", ({ identity, direction, frame }) => {
      const time = new Date().toISOString();
      this.#frames.push({ number: ++this.#number, time, identity, direction, ...shown(redacted(frame)) });
      if (this.#frames.length > this.#frameCount) this.#frames.shift();
      this.changed(identity);
    });
  }

  /** Serves one reader until it leaves: at first everything, then what changes. */
  serve(response: ServerResponse): void {
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
    response.on("error", () => {});
    response.on("close", () => this.#readers.delete(response));
    this.#flush(); // So that nobody gets twice what the newcomer gets now.
    const chargers = this.#chargers.list().map((charger) => this.#live(charger));
    response.write(event("everything", { chargers, frames: this.#frames }));
    // That much waits because the newcomer has just come, not because it is slow.
    this.#readers.set(response, response.writableLength + this.#maxBufferedBytes);
  }

  /** Something about a charger is new. */
  changed(identity: string): void {
    this.#changed.add(identity);
    this.#timer ??= setTimeout(() => this.#flush(), this.#intervalMs).unref();
  }

  /** A charger is known no longer: whoever reads begins anew, which browsers do by themselves. */
  forgotten(): void {
    for (const reader of this.#readers.keys()) reader.end();
  }

  /** Sends everybody away; whoever does not read is not waited for. */
  close(): void {
    clearInterval(this.#keepAlive);
    clearTimeout(this.#timer);
    for (const reader of this.#readers.keys()) reader.destroy();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const identities = [...this.#changed];
    this.#changed.clear();
    const frames = this.#frames.filter(({ number }) => number > this.#sent);
    this.#sent = this.#number;
    if (this.#readers.size === 0 || identities.length === 0) return;
    const chargers = identities.flatMap((identity) => this.#chargers.get(identity) ?? []);
    this.#write(event("changes", { chargers: chargers.map((charger) => this.#live(charger)), frames }));
  }

  #write(text: string): void {
    for (const [reader, maxBufferedBytes] of this.#readers) {
      if (reader.writableLength > maxBufferedBytes) reader.destroy();
      else reader.write(text);
    }
  }

  #live(charger: Charger): LiveCharger {
    return { ...charger, online: this.#centralSystem.get(charger.identity) !== undefined };
  }
}

const event = (name: string, content: unknown): string => `event: ${name}\ndata: ${JSON.stringify(content)}\n\n`;

function shown(frame: Frame): Pick<LiveFrame, "type" | "messageId" | "title" | "payload"> {
  const { messageId, type } = frame;
  switch (frame.type) {
    case "CALL":
      return { type, messageId, title: cut(frame.action, 50), payload: text(frame.payload) };
    case "CALLRESULT":
      return { type, messageId, title: "", payload: text(frame.payload) };
    case "CALLERROR": {
      const { errorCode, errorDescription, errorDetails } = frame;
      return { type, messageId, title: cut(errorCode, 50), payload: cut(`${errorDescription} ${text(errorDetails)}`) };
    }
  }
}

/** JSON without users and passwords in URLs, which GetDiagnostics and UpdateFirmware have. */
const text = (payload: unknown): string => cut(JSON.stringify(payload).replaceAll(/\/\/[^/\s"]*@/g, "//•••@"));

const cut = (text: string, length = 2000): string => (text.length <= length ? text : `${text.slice(0, length)}…`);
