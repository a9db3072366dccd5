import { test } from "vitest";
import { replay } from "../charge-point/simulation.ts";
import type { SetProfile } from "../charge-point/simulation-schedule.ts";

const profile: SetProfile = {
  id: 1,
  purpose: "TxDefaultProfile",
  kind: "Daily",
  level: 1,
  connector: 0,
  limit: 10,
  forS: 20_000,
  named: false,
};

test("What was accepted of profiles is there at whichever write the power fails, and what has ended is not [SC-08] [SC-19] [SC-24] [SC-25] [SC-28]", async () => {
  for (let nth = 1; nth <= 10; nth++) {
    for (const [kept, resume] of [0, 1, 2].flatMap((kept) => [true, false].map((resume) => [kept, resume] as const))) {
      await replay([
        { at: 100, do: "set profile", ...profile },
        { at: 150, do: "power cut at write", nth, forS: 1, kept, clockOffS: 0, resume },
        { at: 200, do: "plug in", connector: 1, forS: 700, idTag: "known" },
        { at: 210, do: "set profile", ...profile, id: 2, purpose: "TxProfile", connector: 1, level: 0, named: true },
        { at: 220, do: "set profile", ...profile, id: 3 },
        { at: 230, do: "clear profiles", by: "level", value: 2 },
        { at: 300, do: "refuse connections", forS: 3600 },
        { at: 301, do: "drop" },
      ]);
    }
  }
});

test("Limits are followed by one Charge Point after the other, whatever the former is asked for", async () => {
  await replay([
    { at: 100, do: "restart charge point", resume: true },
    { at: 200, do: "set profile", ...profile, purpose: "ChargePointMaxProfile" },
    { at: 300, do: "use former handles" },
  ]);
});

test("What a disk does not forget at once does not come back once it is well", async () => {
  await replay([
    { at: 100, do: "set profile", ...profile },
    { at: 200, do: "fail a write", kind: "delete", nth: 1 },
    { at: 201, do: "clear profiles", by: "nothing", value: 0 },
    { at: 200_000, do: "power cut", forS: 1, kept: 0, clockOffS: 0, resume: true },
  ]);
});
