import type {
  ConnectorHardware,
  DiagnosticsFile,
  Hardware,
  HardwareListener,
  Installation,
  Offer,
  Unlocking,
} from "../src/index.ts";

/** Hardware that does what a test says, and writes down what it is told to do. */
export class ScriptedHardware implements Hardware {
  readonly connectors: readonly ConnectorHardware[];
  /** What it was told to do, in order: `lock 1`, `offer 1 16`, `offer 1 -`, `unlock 1`, `reboot Soft`. */
  readonly done: string[] = [];
  /** What each connector offers. */
  readonly offers = new Map<number, Offer | undefined>();
  readonly plugs = new Set<number>();
  /** Where the cable has been pulled out of the vehicle. */
  readonly loose = new Set<number>();
  readonly registers = new Map<number, number>();
  readonly faults = new Map<number, Parameters<HardwareListener["faulted"]>[1]>();
  /** How `unlock` ends. */
  unlocking: Unlocking = "Unlocked";
  /** Whether locks jam. */
  jams = false;
  /** Connectors that have not done what they were told last. */
  readonly disobeyed = new Set<number>();
  /** Whether its methods throw. */
  fails = false;
  rebooted: (kind: "Soft" | "Hard") => void = () => {};
  #listener: HardwareListener | undefined;

  constructor(connectors: readonly Partial<ConnectorHardware>[] = [{}, {}]) {
    this.connectors = connectors.map((each) => ({
      maximum: { limit: 32, unit: "A" },
      measurands: ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import.L1", "SoC"],
      ...each,
    }));
    for (const index of connectors.keys()) this.registers.set(index + 1, 1000 * (index + 1));
  }

  get listener(): HardwareListener {
    if (this.#listener === undefined) throw new Error("Nobody listens to the hardware.");
    return this.#listener;
  }

  listen(listener: HardwareListener): void {
    this.#listener = listener;
    for (const [id, register] of this.registers) this.measure(id, register);
    for (const id of this.plugs) listener.plugged(id);
    for (const id of this.loose) listener.unplugged(id, "vehicle");
    for (const [id, error] of this.faults) listener.faulted(id, error);
  }

  offer(connectorId: number, offer: Offer | undefined): void {
    this.disobeyed.add(connectorId);
    if (this.fails) throw new Error("The hardware fails.");
    this.disobeyed.delete(connectorId);
    this.offers.set(connectorId, offer);
    this.done.push(`offer ${connectorId} ${offer?.A ?? "-"}`);
  }

  lock(connectorId: number): void {
    this.done.push(`lock ${connectorId}`);
    if (this.jams) throw new Error("The lock jams.");
  }

  unlock(connectorId: number): Unlocking {
    this.done.push(`unlock ${connectorId}`);
    if (this.fails) throw new Error("The hardware fails.");
    return this.unlocking;
  }

  /** How `install` ends. */
  installing: () => Installation | Promise<Installation> = () => "installed";
  /** What `diagnostics` makes. */
  made: DiagnosticsFile | undefined = { file: "/tmp/log", fileName: "log.txt" };

  install(file: string): Installation | Promise<Installation> {
    this.done.push(`install ${file}`);
    return this.installing();
  }

  diagnostics(): DiagnosticsFile | undefined {
    return this.made;
  }

  reboot(kind: "Soft" | "Hard"): void {
    this.done.push(`reboot ${kind}`);
    this.rebooted(kind);
  }

  plug(connectorId: number): void {
    this.plugs.add(connectorId);
    this.loose.delete(connectorId);
    this.listener.plugged(connectorId);
  }

  unplug(connectorId: number, end?: "charge-point" | "vehicle"): void {
    if (end !== "vehicle") this.plugs.delete(connectorId);
    this.loose[end === "vehicle" && this.plugs.has(connectorId) ? "add" : "delete"](connectorId);
    this.listener.unplugged(connectorId, end);
  }

  present(idTag: string, connectorId?: number): void {
    this.listener.presented(idTag, connectorId);
  }

  /** The meter of a connector shows something, in Wh. */
  measure(connectorId: number, register: number, more: object = {}): void {
    this.registers.set(connectorId, register);
    this.#listener?.measured(connectorId, { "Energy.Active.Import.Register": register, ...more });
  }
}
