import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What an FTP server does; `undefined`: as FTP servers do. */
export interface FtpScript {
  /** Answers a command in its own way; `silence`: never. */
  readonly reply?: (command: string, argument: string) => string | "silence" | undefined;
  /** After how many bytes of the n-th RETR or STOR both connections are cut. */
  readonly cutAt?: (transfer: number) => number | undefined;
  /** Whether a file is sent again and again. */
  readonly isEndless?: boolean;
  /** How many bytes of each RETR are sent before it says that this was all. */
  readonly sends?: number;
  readonly modified?: () => string;
}

/** An FTP server in a few lines, which keeps its files in memory and does what a test wants. */
export class ScriptedFtpServer {
  readonly files = new Map<string, Buffer>();
  /** What it was told, without arguments that are secret. */
  readonly commands: string[] = [];
  /** Emits each command as it comes. */
  heard: (command: string) => void = () => {};
  readonly #script: FtpScript;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #transfers = 0;

  private constructor(script: FtpScript) {
    this.#script = script;
    this.#server = createServer((control) => this.#serve(control));
  }

  static async start(script: FtpScript = {}): Promise<ScriptedFtpServer> {
    const server = new ScriptedFtpServer(script);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    onTestFinished(() => {
      for (const socket of server.#sockets) socket.destroy();
      server.#server.close();
    });
    return server;
  }

  get url(): string {
    return `ftp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once a command has come. */
  async hears(command: string): Promise<void> {
    if (this.commands.includes(command)) return;
    await new Promise<void>((heard) => {
      this.heard = (told) => told === command && heard();
    });
  }

  /** Resolves when nobody is connected any more. */
  async isLeft(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => new Promise((closed) => socket.on("close", closed))));
  }

  #take(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    return socket;
  }

  #serve(control: Socket): void {
    this.#take(control);
    let rest = 0;
    let data: Promise<Socket> | undefined;
    let text = "";
    const say = (line: string): void => void control.write(`${line}\r\n`);
    const passive = async (): Promise<void> => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      data = once(server, "connection").then(([socket]) => {
        server.close();
        return this.#take(socket as Socket);
      });
      say(`229 Entering Extended Passive Mode (|||${(server.address() as AddressInfo).port}|)`);
    };
    const act = async (command: string, argument: string): Promise<void> => {
      const own = this.#script.reply?.(command, argument);
      if (own === "silence") return;
      if (own !== undefined) return say(own);
      const file = this.files.get(argument);
      if (command === "USER") say("331 And the password?");
      else if (command === "PASS") say("230 Welcome.");
      else if (command === "EPSV") await passive();
      else if (command === "SIZE") say(file ? `213 ${file.length}` : "550 No such file.");
      else if (command === "MDTM") say(file ? `213 ${this.#script.modified?.() ?? "20260101000000"}` : "550 None.");
      else if (command === "REST") {
        rest = Number(argument);
        say("350 From there.");
      } else if (command === "RETR") {
        if (file === undefined) return say("550 No such file.");
        say("150 Here it comes.");
        await this.#send(control, await data, file.subarray(rest));
        rest = 0;
      } else if (command === "STOR" || command === "APPE") {
        say("150 Go ahead.");
        const before = command === "APPE" ? (file ?? Buffer.alloc(0)) : Buffer.alloc(0);
        await this.#receive(control, await data, argument, before);
      } else say(["TYPE", "STRU", "QUIT"].includes(command) ? "200 Yes." : "502 No.");
    };
    control.on("data", (chunk) => {
      text += chunk;
      const lines = text.split("\r\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const [command = "", ...words] = line.split(" ");
        this.commands.push(command);
        this.heard(command);
        void act(command, words.join(" "));
      }
    });
    say("220 Here.");
  }

  async #send(control: Socket, data: Socket | undefined, bytes: Buffer): Promise<void> {
    if (data === undefined) return;
    const { cutAt, isEndless, sends } = this.#script;
    const cut = cutAt?.(this.#transfers++);
    while (isEndless && !data.destroyed) {
      if (!data.write(bytes)) await new Promise((go) => data.once("drain", go).once("close", go));
    }
    if (cut !== undefined && cut < bytes.length) {
      data.end(bytes.subarray(0, cut));
      data.on("close", () => control.destroy());
      return;
    }
    data.end(bytes.subarray(0, sends));
    control.write("226 That was it.\r\n");
  }

  async #receive(control: Socket, data: Socket | undefined, name: string, before: Buffer): Promise<void> {
    if (data === undefined) return;
    const cut = this.#script.cutAt?.(this.#transfers++) ?? Number.POSITIVE_INFINITY;
    let received = Buffer.alloc(0);
    data.on("data", (chunk) => {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length < cut) return;
      received = received.subarray(0, cut);
      data.destroy();
      control.destroy();
    });
    await new Promise((ended) => data.on("close", ended));
    this.files.set(name, Buffer.concat([before, received]));
    control.write("226 I have it.\r\n");
  }
}
