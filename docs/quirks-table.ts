/*
 * The tables of quirks.md, made from the table that connections obey. A page names a table between two comments,
 *
 *     <!-- table="quirks of payloads" -->
 *     <!-- end of table -->
 *
 * and sync-snippets.ts fills it.
 */
import { type Quirk, quirks, vendorQuirks } from "@ocppj/core";

const all: readonly Quirk[] = Object.values(quirks);

const rowOf = ({ name, id, forgives, repairs, evidence, guesses }: Quirk): string =>
  `| \`${name}\` | ${id} | ${forgives} | ${repairs}${guesses ? " (**a guess**)" : ""} | ${evidence.map(linkTo).join(", ") || "no report yet"} |`;

/** `owner/repository#12` as a link to the issue, `owner/repository PR#12` as one to the pull request. */
export function linkTo(reference: string): string {
  const [, repository = "", pull, number = ""] = /^(\S+?)( PR)?#(\d+)$/.exec(reference) ?? [];
  const name = repository.split("/").at(-1);
  return `[${name} ${number}](https://github.com/${repository}/${pull === undefined ? "issues" : "pull"}/${number})`;
}

const quirksOf = (scope: Quirk["scope"]): readonly string[] => [
  "| name | row | forgives | what becomes of it | seen in |",
  "|---|---|---|---|---|",
  ...all.filter((quirk) => quirk.scope === scope).map(rowOf),
];

/** The lines of each table, by the name that pages give it. */
export const tables: Readonly<Record<string, readonly string[]>> = {
  "quirks of payloads": quirksOf("payload"),
  "quirks of frames": quirksOf("frame"),
  "quirks of handshakes": quirksOf("handshake"),
  "quirks of vendors": [
    "| group | quirks |",
    "|---|---|",
    ...Object.entries(vendorQuirks).map(
      ([vendor, group]) => `| \`${vendor}\` | ${group.map(({ name }) => `\`${name}\``).join(", ")} |`,
    ),
  ],
};
