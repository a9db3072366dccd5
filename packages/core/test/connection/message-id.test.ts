import { afterEach, describe, expect, test, vi } from "vitest";
import { randomMessageId } from "../../src/connection/message-id.ts";

const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe("randomMessageId", () => {
  afterEach(() => void vi.unstubAllGlobals());

  test.each([
    ["with Web Crypto", () => {}],
    ["on a page without TLS", () => vi.stubGlobal("crypto", {})],
    ["in a runtime without Web Crypto", () => vi.stubGlobal("crypto", undefined)],
  ])("makes UUIDs, each only once, %s [J-050] [J-051] [J-054]", (_, prepare) => {
    prepare();
    const ids = Array.from({ length: 1000 }, randomMessageId);
    for (const id of ids) expect(id).toMatch(uuid);
    expect(new Set(ids).size).toBe(1000);
  });
});
