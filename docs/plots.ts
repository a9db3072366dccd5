/*
 * The plots of smart-charging.md: what `explain` says of each profile, moment by moment, as SVG. sync-snippets.ts writes them
 * into plots/.
 *
 * A plot has a lane for each profile, and one for the limit that comes of them. Strong colour: the limit is this one's.
 */
import { type ChargingProfile, ChargingProfiles, dailySchedule, explain, limitAt, limitUntil } from "@ocppj/core";

/** What a lane shows at a moment, in A; `undefined`: nothing. */
interface Shown {
  readonly limit: number;
  readonly strong: boolean;
}

interface Lane {
  readonly label: string;
  readonly at: (moment: number) => Shown | undefined;
}

interface Plot {
  readonly title: string;
  readonly from: number;
  readonly hours: number;
  /** How many hours are between two lines. */
  readonly every: number;
  readonly lanes: readonly Lane[];
}

const hour = 3_600_000;
const midnight = Date.parse("2026-05-04T00:00:00Z"); // A Monday.
const maximum = { limit: 32, unit: "A" } as const;
const none = ChargingProfiles.none({ connectors: { 1: maximum, 2: maximum } });

const width = 720;
const left = 16;
const right = 704;
const top = 44;
const laneHeight = 64;
const barHeight = 40;
const mostA = 40;

/** Sets one profile after the other, each at a connector. */
function setAll(all: readonly (readonly [connectorId: number, profile: ChargingProfile])[], before = none) {
  return all.reduce((profiles, [connectorId, profile]) => {
    const verdict = profiles.set(connectorId, profile);
    if (verdict.status === "Refused") throw new Error(verdict.message);
    return verdict.profiles;
  }, before);
}

/** What a profile says, and when the limit of connector 1 is its. */
function laneOf(profiles: ChargingProfiles, profile: ChargingProfile, more = ""): Lane {
  const { chargingProfileId: id, chargingProfileKind, chargingProfilePurpose, recurrencyKind, stackLevel } = profile;
  const kind = recurrencyKind ?? chargingProfileKind;
  return {
    label: `profile ${id}: ${chargingProfilePurpose}, level ${stackLevel}, ${kind}${more}`,
    at(moment) {
      const explained = explain(profiles, { connectorId: 1, at: moment, unit: "A" }).profiles;
      const own = explained.find((each) => each.profile.chargingProfileId === id);
      return own?.says && { limit: own.says.limit, strong: own.standing === "wins" };
    },
  };
}

/** What a connector may draw. */
const limitOf = (label: string, connectorId: number, profilesAt: (moment: number) => ChargingProfiles): Lane => ({
  label,
  at: (at) => ({ limit: limitAt(profilesAt(at), { connectorId, at, unit: "A" }).limit, strong: true }),
});

function profileOf(
  id: number,
  chargingProfilePurpose: ChargingProfile["chargingProfilePurpose"],
  rest: Partial<ChargingProfile>,
  schedule: { readonly start?: number; readonly duration?: number; readonly limits: Readonly<Record<number, number>> },
): ChargingProfile {
  const { duration, limits, start } = schedule;
  return {
    chargingProfileId: id,
    stackLevel: 0,
    chargingProfilePurpose,
    chargingProfileKind: "Absolute",
    ...rest,
    chargingSchedule: {
      chargingRateUnit: "A",
      ...(start !== undefined && { startSchedule: new Date(start).toISOString() }),
      ...(duration !== undefined && { duration }),
      chargingSchedulePeriod: Object.entries(limits).map(([hours, limit]) => ({
        startPeriod: Number(hours) * 3600,
        limit,
      })),
    },
  };
}

function stack(): Plot {
  const night = dailySchedule({
    chargingProfileId: 3,
    unit: "A",
    startOfDay: midnight,
    limits: [
      { from: "00:00", limit: 32 },
      { from: "06:00", limit: 10 },
      { from: "22:00", limit: 32 },
    ],
  });
  const peak = limitUntil({
    chargingProfileId: 12,
    stackLevel: 1,
    limit: 6,
    unit: "A",
    from: midnight + 15 * hour,
    until: midnight + 18 * hour,
  });
  const profiles = setAll([
    [0, night],
    [0, peak],
  ]);
  const lanes = [laneOf(profiles, peak), laneOf(profiles, night), limitOf("what may be drawn", 1, () => profiles)];
  return { title: "Stack: the highest level that says something counts", ...oneDay, lanes };
}

const oneDay = { from: midnight, hours: 24, every: 3 };

function purposes(): Plot {
  const whole = profileOf(
    1,
    "ChargePointMaxProfile",
    {},
    { start: midnight, duration: 86_400, limits: { 0: 25, 17: 12, 21: 25 } },
  );
  const standard = profileOf(2, "TxDefaultProfile", {}, { start: midnight, limits: { 0: 16 } });
  const own = profileOf(
    3,
    "TxProfile",
    { chargingProfileKind: "Relative" },
    { duration: 10 * 3600, limits: { 0: 30, 4: 8 } },
  );
  const profiles = setAll(
    [
      [0, whole],
      [0, standard],
      [1, own],
    ],
    none.startedTransaction(1, { startedAt: midnight + 9 * hour }),
  );
  const lanes = [
    laneOf(profiles, own, ", the transaction began at 09:00"),
    laneOf(profiles, standard),
    laneOf(profiles, whole),
    limitOf("what may be drawn", 1, () => profiles),
  ];
  return { title: "Purposes: the transaction's own over the default, and never more than the whole", ...oneDay, lanes };
}

function kinds(): Plot {
  const began = midnight + 42 * hour;
  const charging = none.startedTransaction(1, { startedAt: began });
  const alone = (profile: ChargingProfile, more?: string) => laneOf(setAll([[1, profile]], charging), profile, more);
  const recurring = (recurrencyKind: "Daily" | "Weekly") =>
    ({ chargingProfileKind: "Recurring", recurrencyKind }) as const;
  const start = midnight + 22 * hour;
  return {
    title: "Kinds: where a schedule begins",
    from: midnight,
    hours: 8 * 24,
    every: 24,
    lanes: [
      alone(
        profileOf(
          1,
          "TxDefaultProfile",
          {},
          { start: midnight + 36 * hour, duration: 48 * 3600, limits: { 0: 10, 24: 20 } },
        ),
        ", from Tuesday 12:00, for two days",
      ),
      alone(
        profileOf(2, "TxDefaultProfile", recurring("Daily"), { start, duration: 8 * 3600, limits: { 0: 32 } }),
        ", 32 A from 22:00, for 8 hours",
      ),
      alone(
        profileOf(3, "TxDefaultProfile", recurring("Weekly"), {
          start: midnight + 5 * 24 * hour,
          duration: 48 * 3600,
          limits: { 0: 16, 24: 24 },
        }),
        ", from Saturday, for two days",
      ),
      alone(
        profileOf(
          4,
          "TxDefaultProfile",
          { chargingProfileKind: "Relative" },
          { duration: 36 * 3600, limits: { 0: 32, 12: 16 } },
        ),
        ", charging began on Tuesday at 18:00",
      ),
    ],
  };
}

function cleared(): Plot {
  const noon = midnight + 12 * hour;
  const six = profileOf(12, "TxDefaultProfile", { stackLevel: 1 }, { start: midnight, limits: { 0: 6 } });
  const safe = profileOf(1, "TxDefaultProfile", {}, { start: midnight, limits: { 0: 10 } });
  const alone = setAll([[0, six]]);
  const above = setAll([[0, safe]], alone);
  const until = (profiles: ChargingProfiles) => {
    const after = profiles.clear({ id: 12 }).profiles;
    return (moment: number) => (moment < noon ? profiles : after);
  };
  return {
    title: "Profile 12 (6 A) is cleared at 12:00",
    ...oneDay,
    lanes: [
      limitOf("it was the only one: full power", 1, until(alone)),
      limitOf("a default of 10 A is at level 0: that counts again", 1, until(above)),
    ],
  };
}

function together(): Plot {
  const first = profileOf(1, "TxDefaultProfile", {}, { start: midnight, limits: { 0: 16, 8: 32, 20: 16 } });
  const second = profileOf(2, "TxDefaultProfile", {}, { start: midnight, limits: { 0: 6, 14: 20 } });
  const whole = profileOf(3, "ChargePointMaxProfile", {}, { start: midnight, limits: { 0: 36 } });
  const profiles = setAll([
    [1, first],
    [2, second],
    [0, whole],
  ]);
  const lanes = [1, 2].map((id) => limitOf(`connector ${id}`, id, () => profiles));
  return {
    title: "Connector 0: the sum of all, at most what ChargePointMaxProfile says (36 A)",
    ...oneDay,
    lanes: [...lanes, limitOf("connector 0", 0, () => profiles)],
  };
}

/** A stretch of a lane on which it shows the same. */
interface Stretch {
  readonly from: number;
  to: number;
  readonly shown: Shown;
}

function stretchesOf({ at }: Lane, { from, hours }: Plot): readonly Stretch[] {
  const stretches: Stretch[] = [];
  const step = hour / 4;
  for (let moment = from; moment < from + hours * hour; moment += step) {
    const shown = at(moment);
    const last = stretches.at(-1);
    const goesOn = last?.to === moment && last.shown.limit === shown?.limit && last.shown.strong === shown.strong;
    if (goesOn) last.to = moment + step;
    else if (shown !== undefined) stretches.push({ from: moment, to: moment + step, shown });
  }
  return stretches;
}

const style = [
  ".card{fill:#fff;stroke:#d0d7de}.text{fill:#1f2328}.quiet{fill:#59636e}.line{stroke:#d0d7de}",
  ".strong{fill:#0969da}.weak{fill:#b6d9ff}.on-strong{fill:#fff}.on-weak{fill:#1f2328}",
  "text{font:12px ui-sans-serif,system-ui,sans-serif}.title{font-weight:600;font-size:14px}",
  "@media (prefers-color-scheme:dark){.card{fill:#0d1117;stroke:#3d444d}.text{fill:#f0f6fc}.quiet{fill:#9198a1}",
  ".line{stroke:#3d444d}.strong{fill:#1f6feb}.weak{fill:#1c3a63}.on-weak{fill:#f0f6fc}}",
].join("");

const textAt = (x: number, y: number, kind: string, text: string, more = ""): string =>
  `<text x="${x}" y="${y}" class="${kind}"${more}>${text}</text>`;

/** Draws a plot. */
function svgOf(plot: Plot): string {
  const { every, from, hours, lanes, title } = plot;
  const bottom = top + lanes.length * laneHeight;
  const xOf = (moment: number): number => Math.round(left + ((moment - from) / (hours * hour)) * (right - left));
  const ticks = Array.from({ length: Math.floor(hours / every) + 1 }, (_, index) => from + index * every * hour);
  const nameOf = (tick: number): string => {
    const name = new Date(tick).toUTCString();
    return every < 24 ? name.slice(17, 22) : name.slice(0, 3);
  };
  const drawn = lanes.flatMap((lane, index) => {
    const base = top + index * laneHeight + laneHeight - 8;
    const bars = stretchesOf(lane, plot).flatMap(({ from, shown: { limit, strong }, to }) => {
      const [x, end] = [xOf(from), xOf(to)];
      const height = Math.max(2, Math.round((limit / mostA) * barHeight));
      const kind = strong ? "strong" : "weak";
      const rect = `<rect x="${x}" y="${base - height}" width="${end - x}" height="${height}" class="${kind}"/>`;
      if (end - x < 34) return [rect];
      const inside = height >= 16;
      const middle = ' text-anchor="middle"';
      const label = inside ? base - height + 13 : base - height - 4;
      return [rect, textAt((x + end) / 2, label, inside ? `on-${kind}` : "text", `${limit} A`, middle)];
    });
    return [textAt(left, base - barHeight - 2, "quiet", lane.label), ...bars];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 28}" role="img" aria-label="${title}">`,
    `<style>${style}</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${bottom + 27}" rx="6" class="card"/>`,
    textAt(left, 24, "text title", title),
    ...ticks.map((tick) => `<path d="M${xOf(tick)} ${top - 8}V${bottom}" class="line"/>`),
    ...drawn,
    ...ticks.slice(0, -1).map((tick) => textAt(xOf(tick), bottom + 16, "quiet", nameOf(tick))),
    "</svg>",
    "",
  ].join("\n");
}

/** Each plot as SVG, by its name. */
export const plots: Readonly<Record<string, string>> = {
  stack: svgOf(stack()),
  purposes: svgOf(purposes()),
  kinds: svgOf(kinds()),
  cleared: svgOf(cleared()),
  together: svgOf(together()),
};
