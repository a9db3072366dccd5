import fc from "fast-check";
import { expect, test } from "vitest";
import {
  FirmwareUpdate,
  type FirmwareUpdateOutput,
  type FirmwareUpdateRecord,
  type ToldFirmwareStatus,
} from "../../src/files/firmware-update.ts";

const minute = 60_000;
const never = Number.POSITIVE_INFINITY;

/** What is told in between, in order. [FM-26, SEC-L01-31] */
const order = {
  plain: ["Downloading", "Downloaded", "Installing"],
  signed: [
    ...["DownloadScheduled", "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"],
    ...["Installing", "InstallRebooting"],
  ],
};

/** The ends, and what may be the last status before each. [SEC-MSG-22] */
const ends: { readonly [end: string]: readonly (string | undefined)[] } = {
  DownloadFailed: ["DownloadScheduled", "Downloading"],
  InvalidSignature: ["Downloaded"],
  InstallVerificationFailed: ["SignatureVerified", "InstallScheduled"],
  InstallationFailed: ["Downloaded", "SignatureVerified", "InstallScheduled", "Installing", "InstallRebooting"],
  Installed: ["Installing", "InstallRebooting"],
};

/** An update with whoever does what it says, as a power cut leaves it. */
class Bench {
  readonly isSigned: boolean;
  update: FirmwareUpdate;
  now = 0;
  readonly told: ToldFirmwareStatus[] = [];
  /** What was asked for, by requestId. */
  readonly requested: number[] = [];
  /** Of these, what came when the installation of another had begun since it was accepted. */
  readonly late = new Set<number>();
  kept: FirmwareUpdateRecord | undefined;
  running: "download" | "verify" | "install" | undefined;
  isOut = false;
  isInUse = false;
  /** Whether something that was said was not done, since the power failed just then. */
  hasLost = false;
  readonly broken: string[] = [];
  /** After how many outputs the power fails. */
  #cutAfter = never;
  #isJustVerified = false;

  constructor(isSigned: boolean) {
    this.isSigned = isSigned;
    this.update = new FirmwareUpdate(isSigned);
  }

  /** Has something happen, and what follows; the power may fail after so many outputs. */
  happen(input: (update: FirmwareUpdate) => void, cutAfter = never): void {
    this.#cutAfter = cutAfter;
    input(this.update);
    this.#take();
    this.#isJustVerified = false;
    if (!this.update.isUnderWay && this.isOut) this.broken.push("out of service without an update");
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.update.deadline <= end) {
      this.now = Math.max(this.now, this.update.deadline);
      this.happen((update) => update.advance(this.now));
    }
    this.now = end;
  }

  request(delay: number, retries: number, installDelay: number | undefined, cutAfter: number): void {
    const at = (ms: number): string => new Date(this.now + ms).toISOString();
    const location = "http://h/f";
    if (!this.isSigned) {
      const req = { location, retrieveDate: at(delay), retries, retryInterval: 60 };
      this.happen((update) => update.requested(req, this.now), cutAfter);
      return;
    }
    const requestId = this.requested.length;
    this.requested.push(requestId);
    if (this.update.isInstalling) this.late.add(requestId);
    const firmware = {
      location,
      retrieveDateTime: at(delay),
      signature: `signature ${requestId}`,
      signingCertificate: "PEM",
      ...(installDelay !== undefined && { installDateTime: at(installDelay) }),
    };
    this.happen(
      (update) => update.signedRequested({ requestId, retries, retryInterval: 60, firmware }, this.now),
      cutAfter,
    );
  }

  charging(isInUse: boolean): void {
    this.isInUse = isInUse;
    this.happen((update) => update.inUse(isInUse));
  }

  /** What runs comes to its end. */
  done(works: boolean, restarts: boolean, cutAfter = never): void {
    const { running } = this;
    this.running = undefined;
    if (running === "download")
      this.happen((update) => update.downloaded(works ? "/f" : undefined, this.now), cutAfter);
    else if (running === "verify") {
      this.#isJustVerified = works;
      this.happen((update) => update.verified(works, this.now), cutAfter);
    } else if (running === "install") {
      const outcome = works ? (restarts ? "restart" : "installed") : "failed";
      this.happen((update) => update.installed(outcome), cutAfter);
    }
  }

  /** What was told is delivered, since that is kept; what ran is gone. */
  powerCut(isInstalled: boolean): void {
    this.#cutAfter = never;
    this.update = new FirmwareUpdate(this.isSigned);
    this.running = undefined;
    this.isOut = false;
    this.update.inUse(this.isInUse);
    const { kept } = this;
    this.happen((update) => kept !== undefined && update.restored(kept, isInstalled, this.now));
  }

  #take(): void {
    for (let output = this.update.poll(); output !== undefined; output = this.update.poll()) {
      if (this.#cutAfter-- <= 0) {
        this.hasLost = true;
        this.powerCut(false);
        return;
      }
      this.#perform(output);
    }
  }

  #perform(output: FirmwareUpdateOutput): void {
    switch (output.type) {
      case "status":
        this.told.push({
          status: output.status,
          ...(output.requestId !== undefined && { requestId: output.requestId }),
        });
        break;
      case "keep":
        this.kept = output.record;
        break;
      case "download":
      case "verify":
        if (this.running !== undefined) this.broken.push(`${output.type} before ${this.running} was taken back`);
        this.running = output.type;
        break;
      case "abort":
        this.running = undefined;
        break;
      case "install":
        this.running = "install";
        if (this.isInUse) this.broken.push("installed while somebody charges");
        if (this.isSigned && !this.#isJustVerified) this.broken.push("installed what was not verified just before");
        if (!this.isOut) this.broken.push("installed with connectors in service");
        break;
      case "outOfService":
        this.isOut = output.isOut;
        break;
      case "restart":
        break;
    }
  }
}

const cutAfter = fc.oneof({ weight: 9, arbitrary: fc.constant(never) }, { weight: 1, arbitrary: fc.nat(4) });
const deed = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("request" as const),
      delay: fc.constantFrom(-minute, 0, 2 * minute),
      retries: fc.nat(2),
      installDelay: fc.constantFrom(undefined, -minute, 5 * minute),
      cutAfter,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat(5 * minute) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("done" as const),
      // As a rule it works.
      works: fc.integer({ min: 0, max: 4 }).map((value) => value > 0),
      restarts: fc.boolean(),
      cutAfter,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("charging" as const), is: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart failed" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("power cut" as const), isInstalled: fc.boolean() }) },
);
const deeds = fc.array(deed, { maxLength: 40, size: "max" });
type Deed = typeof deed extends fc.Arbitrary<infer Each> ? Each : never;

/** Lets things happen to updates, and all go well in the end. */
function story(isSigned: boolean, happenings: readonly Deed[]): Bench {
  const bench = new Bench(isSigned);
  for (const each of happenings) {
    if (each.do === "request") bench.request(each.delay, each.retries, each.installDelay, each.cutAfter);
    else if (each.do === "pass") bench.pass(each.ms);
    else if (each.do === "charging") bench.charging(each.is);
    else if (each.do === "done") bench.done(each.works, each.restarts, each.cutAfter);
    else if (each.do === "restart failed") bench.happen((update) => update.restartFailed());
    else bench.powerCut(each.isInstalled);
  }
  bench.charging(false);
  for (let step = 0; step < 10; step++) {
    bench.pass(10 * minute);
    for (let works = 0; works < 4; works++) bench.done(true, false);
    if (bench.kept?.phase === "restarting") bench.powerCut(true);
  }
  return bench;
}

/** What is wrong with the statuses of one update. */
function wrong(statuses: readonly string[], kind: "plain" | "signed", hasLost: boolean): string | undefined {
  const said = statuses.join(" ");
  const [end, ...again] = statuses.filter((status) => status in ends);
  const between = statuses.filter((status) => !(status in ends));
  if (end === undefined) return `no end: ${said}`;
  if (!statuses.slice(between.length).includes(end) || between.some((status, index) => statuses[index] !== status))
    return `not at its end: ${said}`;
  // It is told again if the power failed before it was known that it was told.
  if (again.some((status) => status !== end) || (again.length > 0 && !hasLost)) return `several ends: ${said}`;
  const ranks = between.map((status) => order[kind].indexOf(status));
  if (ranks.some((rank, index) => rank < 0 || rank <= (ranks[index - 1] ?? -1))) return `not in order: ${said}`;
  if (!hasLost && !ends[end]?.includes(between.at(-1))) return `${end} out of place: ${said}`;
  return undefined;
}

test("each plain update that began ends with exactly one end, in order, whatever is cut, slow or replaced; none is installed while somebody charges; connectors come back [FM-23] [FM-25] [FM-26]", () => {
  fc.assert(
    fc.property(deeds, (happenings) => {
      const bench = story(false, happenings);
      expect(bench.broken).toEqual([]);
      expect([bench.kept, bench.isOut, bench.update.told]).toEqual([undefined, false, { status: "Idle" }]);
      const updates: string[][] = [[]];
      for (const { requestId, status } of bench.told) {
        expect(requestId).toBeUndefined();
        const latest = updates.at(-1);
        const [end] = latest?.filter((each) => each in ends) ?? [];
        if (end !== undefined && !(bench.hasLost && end === status)) updates.push([status]);
        else latest?.push(status);
      }
      const told = updates.filter((statuses) => statuses.length > 0);
      expect(told.map((statuses) => wrong(statuses, "plain", bench.hasLost)).filter(Boolean)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("each signed update ends with exactly one end, in order, and with its requestId, whatever is cut, slow or replaced; what is installed was verified just before, and nobody charges; connectors come back [SEC-L01-01] [SEC-L01-06] [SEC-L01-07] [SEC-L01-10] [SEC-L01-18] [SEC-L01-19] [SEC-L01-21] [SEC-L01-31] [SEC-MSG-20] [SEC-MSG-22]", () => {
  fc.assert(
    fc.property(deeds, (happenings) => {
      const bench = story(true, happenings);
      expect(bench.broken).toEqual([]);
      expect([bench.update.isUnderWay, bench.isOut]).toEqual([false, false]);
      expect(bench.told.filter(({ requestId }) => requestId === undefined)).toEqual([]);
      for (const id of bench.requested) {
        const statuses = bench.told.filter(({ requestId }) => requestId === id).map(({ status }) => status);
        // The power may have failed before anything of it was written down.
        if (statuses.length === 0 && bench.hasLost) continue;
        if (bench.late.has(id)) expect(statuses).toEqual(["DownloadFailed"]);
        else expect(wrong(statuses, "signed", bench.hasLost)).toBeUndefined();
      }
      // SEC-L01-28, SEC-L01-29: what was told last, or Idle once it is installed.
      const last = bench.told.filter(({ requestId }) => !bench.late.has(requestId as number)).at(-1);
      const isDone = last === undefined || last.status === "Installed";
      if (!bench.hasLost) expect(bench.update.told).toEqual(isDone ? { status: "Idle" } : last);
    }),
    { numRuns: 1000 },
  );
});
