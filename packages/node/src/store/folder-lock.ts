import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/*
 * Who uses a folder listens on a local socket, which the operating system closes however a process ends. A process id in
 * a file would outlive it, and in a container the next process has the same one.
 *
 * Theory of operation: each candidate first listens on a socket of its own, whose name nobody else ever uses; then it asks
 * those that are there already. One that nobody listens on any more is removed. If somebody answers, the candidate
 * withdraws: of two, the one that listened later has seen the other. Two that begin at the same moment may see each other;
 * both withdraw then, and try again after a random time.
 *
 * The sockets are in the folder itself, so that programs in other containers see them; if it cannot hold any, in a folder
 * for temporary files. On Windows there are named pipes, which only one can listen on.
 */

/** The use of a folder that nobody else has. */
export interface FolderLock {
  release(): Promise<void>;
}

/** By real path: what this process uses, for where there are no sockets at all. */
const usedHere = new Set<string>();

/** So often two candidates may get in each other's way. */
const attempts = 10;

/** A process that is stopped or busy does not answer; its folder is in use all the same. */
const answerTimeoutMs = 1000;

/** What fits into the address of a socket on every system. */
const longestAddress = 100;

/** @returns `undefined` when another store uses the folder, be it in this process or in another one. */
export async function lockFolder(folder: string): Promise<FolderLock | undefined> {
  const path = await realpath(folder);
  if (usedHere.has(path)) return undefined;
  usedHere.add(path);
  let lock: FolderLock | undefined;
  try {
    lock = process.platform === "win32" ? await claimPipe(path) : await claimSocket(path);
  } finally {
    if (lock === undefined) usedHere.delete(path);
  }
  return (
    lock && {
      async release() {
        await lock.release();
        usedHere.delete(path);
      },
    }
  );
}

const digestOf = (path: string): string => createHash("sha256").update(path).digest("hex").slice(0, 16);

async function claimPipe(path: string): Promise<FolderLock | undefined> {
  const server = await listen(`\\\\.\\pipe\\ocppj-${digestOf(path)}`, () => "").catch(() => undefined);
  return server && { release: () => closed(server) };
}

async function claimSocket(path: string): Promise<FolderLock | undefined> {
  const spare = join(tmpdir(), `ocppj-${digestOf(path)}`);
  const places = (await belongsToOthers(spare)) ? [path] : [path, spare];
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const candidate = await Candidate.in(places);
    const others = (await Promise.all(places.map((place) => sentriesIn(place)))).flat();
    const answers = await Promise.all(others.map((other) => (other.name === candidate.name ? "nobody" : ask(other))));
    if (answers.every((answer) => answer === "nobody")) {
      candidate.isUser = true;
      return candidate;
    }
    await candidate.release();
    if (answers.includes("in use")) return undefined;
    await delay(10 + 40 * Math.random());
  }
  return undefined;
}

/** A socket in a place. */
interface Sentry {
  readonly place: string;
  readonly name: string;
}

/** Who wants to use a folder, or does, and listens on a socket of its own. */
class Candidate implements FolderLock {
  readonly name = `lock-${randomUUID().slice(0, 13)}`;
  isUser = false;
  #server: Server | undefined;
  #place = "";

  /** Listens in the first place where that is possible; where it is nowhere, not at all. */
  static async in(places: readonly string[]): Promise<Candidate> {
    const candidate = new Candidate();
    for (const place of places) {
      try {
        await mkdir(place, { recursive: true, mode: 0o700 });
        await candidate.#listen(place);
        break;
      } catch {}
    }
    return candidate;
  }

  async release(): Promise<void> {
    if (this.#server === undefined) return;
    await closed(this.#server);
    await rm(join(this.#place, this.name), { force: true }).catch(() => {});
  }

  async #listen(place: string): Promise<void> {
    const answer = () => (this.isUser ? "in use" : "wanted");
    this.#server = await under({ place, name: this.name }, (address) => listen(address, answer));
    this.#place = place;
  }
}

/** Whether somebody else has made a folder, who could keep us out with sockets in it. */
async function belongsToOthers(place: string): Promise<boolean> {
  const found = await lstat(place).catch(() => undefined);
  return found !== undefined && found.uid !== process.getuid?.();
}

async function sentriesIn(place: string): Promise<readonly Sentry[]> {
  const names = await readdir(place).catch(() => []);
  return names.filter((name) => name.startsWith("lock-")).map((name) => ({ place, name }));
}

/** What a socket says: that the folder is in use or wanted, or that there is nobody any more; then it is removed. */
async function ask(sentry: Sentry): Promise<"in use" | "wanted" | "nobody"> {
  try {
    return await under(sentry, hear);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "nobody";
    if (code !== "ECONNREFUSED") return "in use"; // Who knows.
    await rm(join(sentry.place, sentry.name), { force: true }).catch(() => {});
    return "nobody";
  }
}

function hear(address: string): Promise<"in use" | "wanted"> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    socket.setTimeout(answerTimeoutMs, () => socket.destroy());
    let said = "";
    socket.on("data", (data) => {
      said += data;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(said === "wanted" ? "wanted" : "in use"));
  });
}

function listen(path: string, answer: () => string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end(answer());
    });
    server.unref();
    server.on("error", reject);
    // A worker of a cluster would listen in its parent otherwise. Another user may ask, too.
    server.listen({ path, exclusive: true, readableAll: true, writableAll: true }, () => resolve(server));
  });
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Gives the address of a socket, which may be much shorter than a path: then it leads through a link. */
async function under<Result>({ place, name }: Sentry, use: (address: string) => Promise<Result>): Promise<Result> {
  const path = join(place, name);
  if (Buffer.byteLength(path) <= longestAddress) return use(path);
  const shortcut = await mkdtemp(join(tmpdir(), "ocppj-"));
  try {
    await symlink(place, join(shortcut, "s"));
    return await use(join(shortcut, "s", name));
  } finally {
    await rm(shortcut, { recursive: true, force: true });
  }
}
