import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StoreDamageOptions } from "@ocppj/testing";

/** The way of the contract to the files of the stores in a folder. */
export function storeFilesIn(folder: string): StoreDamageOptions {
  /** The lines as they were written, by what they say of the record. */
  const lines = new Map<string, Buffer>();
  return {
    read(name) {
      const path = join(folder, name);
      for (const line of linesIn(readFileSync(join(path, "records")))) lines.set(contentOf(line), line);
      const names = readdirSync(path).filter((file) => file !== "reserve"); // Nothing of it is ever read.
      return new Map(names.map((file) => [file, readFileSync(join(path, file))]));
    },
    write(name, files) {
      const path = join(folder, name);
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      for (const [file, bytes] of files) writeFileSync(join(path, file), bytes);
    },
    isWhole(files, { key, value }) {
      const line = lines.get(JSON.stringify([key, value]));
      const records = files.get("records");
      return line !== undefined && records !== undefined && Buffer.from(records).includes(line);
    },
  };
}

/** The lines of a whole journal. */
export function linesIn(journal: Buffer): Buffer[] {
  const lines = journal.toString("latin1").split(/(?<=\n)/);
  return lines.map((line) => Buffer.from(line, "latin1"));
}

const contentOf = (line: Buffer): string => JSON.stringify(JSON.parse(line.toString("utf8", 10)).slice(3));
