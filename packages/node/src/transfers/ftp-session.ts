import { isIP, Socket } from "node:net";
import { Client, FTPError } from "basic-ftp";
import { Failure, type TransferFailureReason } from "./failure.ts";
import { hostOf } from "./location.ts";
import type { Transfer } from "./transfer.ts";

/** Where TLS comes before the first word, and not when it is asked for. */
const implicitTlsPort = "990";

/**
 * Works with an FTP server, in passive mode, which is the only one there is here. [SEC-N01-13]
 *
 * @throws Failure The server refuses something; another Error, when it was interrupted.
 */
export async function withFtp<T>(transfer: Transfer, work: (client: Client) => Promise<T>): Promise<T> {
  const { location, tls, watch } = transfer;
  const { password, protocol, url, user } = location;
  const client = new Client(0); // The watch knows when it is over.
  const close = closing(client);
  watch.closes(close);
  const host = hostOf(url);
  const named = { ...tls, ...(isIP(host) === 0 && { servername: host }) };
  try {
    if (watch.isOver) throw new Error("it was stopped");
    await client.access({
      host,
      port: Number(url.port) || 21,
      ...(user !== "" && { user, password }),
      ...(protocol === "FTPS" && { secure: url.port === implicitTlsPort ? "implicit" : true, secureOptions: named }),
    });
    watch.active();
    return await work(client);
  } catch (error) {
    throw error instanceof FTPError ? refusal(error) : withoutAdvice(error);
  } finally {
    close();
  }
}

/** Closes a client with all its sockets; those that are being connected it does not know itself. */
function closing(client: Client): () => void {
  const sockets = new Set<Socket>();
  client.ftp._newSocket = () => {
    const socket = new Socket();
    sockets.add(socket);
    return socket;
  };
  return () => {
    client.close();
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.destroy(new Error("it was stopped"));
    }
  };
}

const reasons: Readonly<Record<number, TransferFailureReason>> = {
  500: "NotSupportedOperation",
  501: "BadMessage",
  502: "NotSupportedOperation",
  503: "BadMessage",
  504: "NotSupportedOperation",
  530: "PermissionDenied",
  532: "PermissionDenied",
  550: "PermissionDenied",
  553: "PermissionDenied",
};

/** What a server says that may be otherwise in a moment: connections are lost, or it is busy. */
const passing = [421, 425, 426, 450, 451];

/** What a refusal means. [SEC-N01-10] */
function refusal({ code, message }: FTPError): Error {
  const what = `the server answered with ${message}`;
  return passing.includes(code) ? new Error(what) : new Failure(what, reasons[code]);
}

/** basic-ftp goes on to tell those who program with it what to do. */
function withoutAdvice(error: unknown): unknown {
  const [, what] = /strategies work.*'\w*Error: (.*?)(?:\. .*)?'\.$/s.exec(String(Object(error).message)) ?? [];
  return what === undefined ? error : new Error(`there is no connection for the file: ${what}`);
}

/** What the server tells; `undefined` where it cannot, or not in words that can be read. */
export async function ifTold<T>(client: Client, asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (client.closed || (error instanceof FTPError && passing.includes(error.code))) throw error;
    return undefined;
  }
}
