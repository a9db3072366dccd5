import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as snippets from "../examples/snippets/smart-charging.ts";

const page = readFileSync(new URL("smart-charging.md", import.meta.url), "utf8");

describe("smart-charging.md", () => {
  it("shows what comes out of its snippets", () => {
    const { cleared, current, limit, onOnePhase, refusal, stillSafe, text } = snippets;

    expect(page).toContain(text.replace("; over", ";\n// over"));
    expect(limit).toMatchObject({ limit: 6, unit: "A", until: Date.parse("2026-05-01T18:00:00+02:00") });
    expect(page).toContain(`// ${cleared}\n`);
    expect(page).toContain(`// ${stillSafe}\n`);
    expect(page).toContain(`// ${current}: 11 000 W`);
    expect(page).toContain(`// ${onOnePhase}: 3680 W`);
    expect(page).toContain(`message: "${refusal?.message}"`);
  });
});
