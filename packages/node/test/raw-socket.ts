import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A bare TCP connection, for requests and frames that no library would send. */
export class RawSocket {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #changed = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#changed();
    });
    socket.on("close", () => this.#changed());
  }

  /** Connects to a port of this machine. */
  static async open(port: number): Promise<RawSocket> {
    const socket = connect({ port, host: "127.0.0.1" });
    await once(socket, "connect");
    return new RawSocket(socket);
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Writes a request: its first line and its headers. */
  request(...lines: readonly string[]): void {
    this.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /** Takes the header block of an HTTP message, without the empty line that ends it. */
  async head(): Promise<string> {
    await this.#until(() => this.#received.includes("\r\n\r\n"));
    const end = this.#received.indexOf("\r\n\r\n");
    return this.#take(end + 4)
      .toString("latin1")
      .slice(0, end);
  }

  /** Takes one unmasked WebSocket frame of at most 125 bytes. */
  async frame(): Promise<{ readonly opcode: number; readonly payload: Buffer }> {
    await this.#until(() => this.#received.length >= 2 && this.#received.length >= 2 + (this.#received[1] as number));
    const [first = 0, length = 0] = this.#take(2);
    return { opcode: first & 0x0f, payload: this.#take(length) };
  }

  /** Waits until the far end has closed; takes all that is left. */
  async rest(): Promise<string> {
    if (!this.socket.closed) await once(this.socket, "close");
    return this.#take(this.#received.length).toString("latin1");
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.socket.closed)
        throw new Error(`The connection ended after ${JSON.stringify(this.#received.toString())}.`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** The headers of an opening handshake for `path`, with the key of J-035. */
export const handshake = (path: string, ...more: readonly string[]): readonly string[] => [
  `GET ${path} HTTP/1.1`,
  "Host: some.server.com:33033",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
  "Sec-WebSocket-Version: 13",
  ...more,
];

/** A WebSocket frame as a client sends it, masked with zeros; the payload has at most 125 bytes. */
export function clientFrame(opcode: number, payload: string | Uint8Array, fin = true): Buffer {
  const bytes = Buffer.from(payload as string);
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}
