import { crc32 } from "node:zlib";

/*
 * A journal is a text: one line for each change of a record, in the order of the changes. A line begins with the control
 * character RS and ends with LF; JSON contains neither, so whatever is damaged, the next line is found.
 *
 *   RS checksum SP [generation,number,first,key,value] LF
 */

/** One change of a record. */
export interface JournalLine {
  /** Of the file that it was written into; each new file of a store has the next one. */
  readonly generation: number;
  /** Its place in the file: 1, 2, 3, … */
  readonly number: number;
  /** Whether a commit begins with it. */
  readonly first: boolean;
  readonly key: string;
  /** `undefined`: the record was deleted. */
  readonly value: string | undefined;
}

const rs = 0x1e;
const lf = 0x0a;

const checksum = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, "0");

export function encodeLine({ generation, number, first, key, value }: JournalLine): Buffer {
  const fields = [generation, number, first ? 1 : 0, key];
  const json = JSON.stringify(value === undefined ? fields : [...fields, value]);
  const line = Buffer.from(`\x1e00000000 ${json}\n`);
  line.write(checksum(line.subarray(10, -1)), 1, "latin1");
  return line;
}

/** A line as it was found. */
export interface FoundLine extends JournalLine {
  /** Its length. */
  readonly bytes: number;
}

/** The change that a line says; `undefined` when it is not exactly as it was written. */
function decodeLine(line: Buffer): FoundLine | undefined {
  if (line[0] !== rs || line.at(-1) !== lf) return undefined;
  const json = line.subarray(10, -1);
  if (line.toString("latin1", 1, 10) !== `${checksum(json)} `) return undefined;
  const [generation, number, first, key, value] = JSON.parse(json.toString());
  // Such a line was never written by this store, or by an earlier version of it.
  if (typeof key !== "string" || !["string", "undefined"].includes(typeof value)) return undefined;
  return { generation, number, first: first === 1, key, value, bytes: line.length };
}

/**
 * Whether a text that a journal ends with is the beginning of a line, as an interrupted write leaves it. The last byte of
 * a line may be damaged, too: that is no beginning.
 */
function isBeginning(piece: Buffer): boolean {
  if (piece[0] !== rs || piece.subarray(1).some((byte) => byte < 0x20)) return false;
  return decodeLine(Buffer.concat([piece.subarray(0, -1), Buffer.of(lf)])) === undefined;
}

/** The key in a damaged line, if it looks like one. Nothing that a value may contain is taken for it. */
function keyIn(piece: Buffer): string | undefined {
  return /^.{10}\[\d+,\d+,[01],"([\w./-]{1,80})"/s.exec(piece.toString("latin1", 0, 200))?.[1];
}

/** Splits what is read of a journal into its lines. */
export class JournalReader {
  /** Those that are whole, as they stand in the file. */
  readonly lines: FoundLine[] = [];
  /** How many bytes are part of no line. */
  damagedBytes = 0;
  /** The keys that can be made out in them. */
  readonly damagedKeys: string[] = [];
  /** Where the last whole line ends. */
  end = 0;
  /** What has come of a line that may not have ended: in pieces, because a value may be long. */
  #pieces: Buffer[] = [];
  #position = 0;

  push(bytes: Buffer): void {
    let from = 0;
    for (let at = bytes.indexOf(rs); at !== -1; at = bytes.indexOf(rs, at + 1)) {
      this.#pieces.push(bytes.subarray(from, at));
      this.#take();
      from = at;
    }
    this.#pieces.push(bytes.subarray(from));
  }

  /** The file ends here. */
  finish(): void {
    const piece = this.#piece();
    if (!piece.includes(lf) && isBeginning(piece)) this.#pieces = [];
    else this.#take();
  }

  #piece(): Buffer {
    const [only, ...more] = this.#pieces;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#pieces);
  }

  #take(): void {
    const piece = this.#piece();
    this.#pieces = [];
    const length = piece.indexOf(lf) + 1;
    const line = decodeLine(piece.subarray(0, length));
    if (line !== undefined) {
      this.lines.push(line);
      this.end = this.#position + length;
    }
    this.#position += piece.length;
    const damaged = line === undefined ? piece : piece.subarray(length);
    this.damagedBytes += damaged.length;
    const key = keyIn(damaged);
    if (key !== undefined) this.damagedKeys.push(key);
  }
}

/** What the lines of a journal amount to. */
export interface JournalState {
  readonly generation: number;
  /** Of the last line. */
  readonly number: number;
  /** The lines that count, in their order. */
  readonly lines: readonly FoundLine[];
  /** How many lines are missing, of those that later ones show to have been there. */
  readonly missing: number;
}

/**
 * Puts lines in their order, whatever a disk has done to it.
 *
 * The beginning of a commit shows that the one before was confirmed: of that all lines count. A power cut may have
 * interrupted the last commit, and written its lines in any order: of that the lines before the first one that is missing
 * count, so that no change is there without those before it.
 */
export function stateOf(found: readonly FoundLine[]): JournalState {
  const generation = found.reduce((latest, line) => Math.max(latest, line.generation), 0);
  const candidates = found.filter((line) => line.generation === generation);
  if (candidates.some((line, index) => line.number !== index + 1)) candidates.sort((a, b) => a.number - b.number);
  const lastCommit = candidates.reduce((latest, line) => (line.first ? line.number : latest), 0);
  const lines: FoundLine[] = [];
  let number = 0;
  let missing = 0;
  for (const line of candidates) {
    const skipped = line.number - number - 1;
    if (skipped > 0 && line.number > lastCommit) break;
    if (skipped < 0) continue; // It is there twice.
    lines.push(line);
    missing += skipped;
    number = line.number;
  }
  return { generation, number, lines, missing };
}
