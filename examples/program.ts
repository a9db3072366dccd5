import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import type { SecurityProfile } from "@ocppj/node";
import { messageOf } from "./check.ts";
import { complain, note } from "./timeline.ts";

/** An option of the command line: as `parseArgs` of Node.js has it, and what `--help` says of it. */
type Option = NonNullable<ParseArgsConfig["options"]>[string] & { readonly help: string };

/** What the command line of a program may be. */
interface Usage<Options extends Record<string, Option>> {
  /** What the program is, in a sentence. */
  readonly about: string;
  /** How it is called, for example `charger [url]`; with a `[` it takes one argument besides the options. */
  readonly call: string;
  readonly options: Options;
  /** What else `--help` says. */
  readonly more?: string;
}

/** The command line makes no sense. */
export class UsageError extends Error {}

/**
 * The options and arguments that the program was started with. `--help` prints what there is, and ends the program.
 *
 * @throws UsageError There is no such option, or it is used otherwise.
 */
export function commandLine<const Options extends Record<string, Option>>(usage: Usage<Options>) {
  const help = { type: "boolean", short: "h", default: false, help: "says this" } as const;
  const options = { ...usage.options, help };
  const { positionals, values } = parsed(options);
  if ((values as { help: boolean }).help) {
    console.log(helpOf({ ...usage, options }));
    process.exit(0);
  }
  const superfluous = positionals[usage.call.includes("[") ? 1 : 0];
  if (superfluous !== undefined) throw new UsageError(`"${superfluous}" is one argument too many.`);
  return { positionals, values };
}

function parsed<const Options extends Record<string, Option>>(options: Options) {
  try {
    return parseArgs({ options, args: withNegativeNumbers(process.argv.slice(2)), allowPositionals: true });
  } catch (error) {
    const [first] = messageOf(error).split(/\.\s|\.$/); // What follows is about options that are none.
    throw new UsageError(`${first}.`);
  }
}

/** `parseArgs` takes the value in `--port -3` for an option, and the one in `--port=-3` for a value. */
function withNegativeNumbers(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    if (/^--[\w-]+$/.test(arg) && isNegative(args[index + 1])) return [`${arg}=${args[index + 1]}`];
    return isNegative(arg) && args[index - 1]?.startsWith("--") ? [] : [arg];
  });
}

const isNegative = (arg = ""): boolean => /^-\d/.test(arg);

function helpOf({ about, call, more, options }: Usage<Record<string, Option>>): string {
  const rows = Object.entries(options).map(([name, { default: value, help, type }]) => [
    type === "string" ? `--${name} <value>` : `--${name}`,
    typeof value === "string" ? `${help} (default: ${value})` : help,
  ]);
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  const lines = rows.map(([name = "", what]) => `  ${name.padEnd(width)}  ${what}`);
  return [about, "", `  ${call} [options]`, "", ...lines, ...(more === undefined ? [] : ["", more])].join("\n");
}

/** @throws UsageError The value of an option is no whole number from `lowest` to `highest`. */
export function wholeNumber(option: string, value: string, lowest = 0, highest = 65_535): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= lowest && number <= highest) return number;
  throw new UsageError(`--${option} is a whole number from ${lowest} to ${highest}, not "${value}".`);
}

/**
 * A path as whoever typed it means it: from the folder where they have started `npx` or `pnpm`, which start the programs
 * themselves in `examples`.
 */
export const typedPath = (path: string): string => resolve(process.env.INIT_CWD ?? ".", path);

/** @throws UsageError There is no such security profile. */
export const securityProfileIn = (value: string): SecurityProfile =>
  wholeNumber("security-profile", value, 0, 3) as SecurityProfile;

/**
 * Reads the files for TLS; without any there is no `tls`.
 *
 * @param options - By what TLS needs, the option with the name of the file.
 * @throws UsageError There is no such file.
 */
export function tlsIn(
  options: Readonly<Record<string, string>>,
  values: Readonly<Record<string, unknown>>,
): { readonly tls?: Record<string, string> } {
  const given = Object.entries(options).filter(([, option]) => values[option] !== undefined);
  if (given.length === 0) return {};
  return { tls: Object.fromEntries(given.map(([name, option]) => [name, pemIn(option, String(values[option]))])) };
}

function pemIn(option: string, file: string): string {
  try {
    return readFileSync(typedPath(file), "utf8");
  } catch {
    throw new UsageError(`--${option} names a file that can be read, not "${file}".`);
  }
}

/** Says in a sentence what went wrong. The program ends with 1, or with 2 when its command line was wrong. */
export function fail(error: unknown): void {
  const isUsage = error instanceof UsageError;
  complain(isUsage ? `${error.message} --help says what there is.` : messageOf(error));
  process.exitCode = isUsage ? 2 : 1;
}

/** How long what asks the program to end counts as the same request, in milliseconds. */
const sameRequestMs = 1000;

/**
 * Calls `end` once, when somebody asks the program to end: with Ctrl-C or SIGTERM, or by ending the `npx` or `pnpm` that
 * has started it. A second signal ends the program at once.
 *
 * One Ctrl-C comes several times: from the terminal, which tells the whole process group, and from `npx` and `pnpm`, which
 * pass on what they were told. So what comes within a second is the first one again.
 */
export function whenAskedToEnd(end: () => Promise<void>): void {
  let asked = false;
  let insists = false;
  const ask = (): void => {
    if (asked) return;
    asked = true;
    // Ctrl-C ends the `tee` behind a pipe as well: that nobody reads any more is no reason to end in the middle.
    for (const output of [process.stdout, process.stderr]) output.on("error", () => {});
    setTimeout(() => {
      insists = true;
      note("This takes a moment; another Ctrl-C ends it at once.");
    }, sameRequestMs).unref();
    end().catch(fail);
  };
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
    process.on(signal, () => (insists ? process.exit(code) : ask()));
  }
  whenLauncherEnds(ask);
}

/**
 * `npx` that gets SIGTERM passes it on to a shell, which ends without a word: `pnpm` and this program go on, and nobody
 * knows them any more. Who lost its parent has another one from then on, so the parents are looked at once a second: as far
 * up as something was started by `npx` or `pnpm`, which its environment tells. Where there is no /proc, nobody looks.
 */
function whenLauncherEnds(ended: () => void): void {
  const parents = new Map<number, number>();
  for (let pid = process.pid; startedByLauncher(pid); pid = parentOf(pid)) parents.set(pid, parentOf(pid));
  if (parents.size === 0) return;
  const timer = setInterval(() => {
    if ([...parents].every(([pid, parent]) => parentOf(pid) === parent)) return;
    clearInterval(timer);
    ended();
  }, 1000).unref();
}

/** 0: it is over, or there is no /proc. */
const parentOf = (pid: number): number => Number(/\) \S (\d+)/.exec(processFile(pid, "stat"))?.[1] ?? 0);

const startedByLauncher = (pid: number): boolean => /(?:^|\0)npm_/.test(processFile(pid, "environ"));

function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
