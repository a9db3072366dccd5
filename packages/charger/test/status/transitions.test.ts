import { describe, expect, test } from "vitest";
import type { ConnectorStatus } from "../../src/charger-state.ts";
import { pathTo, transitions } from "../../src/status/transitions.ts";

const statuses = Object.keys(transitions) as ConnectorStatus[];
const pairs = statuses.flatMap((from) => statuses.map((to) => [from, to] as const));

describe("The transitions of a status", () => {
  // Typed off the table of §4.9, not computed from the source.
  test("are the 53 of the documents, with their codes [STX-A2] [STX-A3] [STX-A4] [STX-A5] [STX-A7] [STX-A8] [STX-A9] [STX-B1] [STX-B3] [STX-B4] [STX-B5] [STX-B6] [STX-B9] [STX-C1] [STX-C4] [STX-C5] [STX-C6] [STX-C8] [STX-C9] [STX-D1] [STX-D3] [STX-D5] [STX-D6] [STX-D8] [STX-D9] [STX-E1] [STX-E3] [STX-E4] [STX-E6] [STX-E8] [STX-E9] [STX-F1] [STX-F2] [STX-F8] [STX-F9] [STX-G1] [STX-G2] [STX-G8] [STX-G9] [STX-H1] [STX-H2] [STX-H3] [STX-H4] [STX-H5] [STX-H9] [STX-I1] [STX-I2] [STX-I3] [STX-I4] [STX-I5] [STX-I6] [STX-I7] [STX-I8]", () => {
    const rows = statuses.map((from) => statuses.map((to) => transitions[from][to]?.code ?? "--").join(" "));
    expect(statuses).toEqual([
      "Available",
      "Preparing",
      "Charging",
      "SuspendedEV",
      "SuspendedEVSE",
      "Finishing",
      "Reserved",
      "Unavailable",
      "Faulted",
    ]);
    expect(rows).toEqual([
      "-- A2 A3 A4 A5 -- A7 A8 A9",
      "B1 -- B3 B4 B5 B6 -- -- B9",
      "C1 -- -- C4 C5 C6 -- C8 C9",
      "D1 -- D3 -- D5 D6 -- D8 D9",
      "E1 -- E3 E4 -- E6 -- E8 E9",
      "F1 F2 -- -- -- -- -- F8 F9",
      "G1 G2 -- -- -- -- -- G8 G9",
      "H1 H2 H3 H4 H5 -- -- -- H9",
      "I1 I2 I3 I4 I5 I6 I7 I8 --",
    ]);
    expect(rows.join(" ").match(/[A-I]\d/g)).toHaveLength(53);
  });

  test.each(pairs)("from %s there is a way to %s, in the table [STX-X]", (from, to) => {
    const path = pathTo(from, to);
    let at = from;
    for (const next of path) {
      expect(transitions[at][next], `${at} → ${next}`).toBeDefined();
      at = next;
    }
    expect(at).toBe(to);
    expect(path.length).toBe(from === to ? 0 : transitions[from][to] !== undefined ? 1 : 2);
    for (const between of path.slice(0, -1)) expect(["Faulted", "Unavailable"]).not.toContain(between);
  });

  test.each([
    ["Reserved", "Charging", "Preparing"],
    ["Finishing", "Charging", "Preparing"],
    ["Finishing", "SuspendedEVSE", "Preparing"],
    ["Preparing", "Reserved", "Available"],
    ["Charging", "Preparing", "Finishing"],
    ["Charging", "Reserved", "Available"],
    // Whoever reads Available may send the next driver.
    ["Preparing", "Unavailable", "Finishing"],
    ["Unavailable", "Finishing", "Preparing"],
  ] as const)("from %s to %s the way leads through %s [STX-X]", (from, to, between) => {
    expect(pathTo(from, to)).toEqual([between, to]);
  });
});
