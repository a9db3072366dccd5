import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock, type LinkedTransport, transportPair } from "../src/index.ts";

const end = fc.constantFrom("chargePoint", "centralSystem");
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("send"), end, ms: fc.constant(0) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("advance"), end, ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("listen", "close", "mute", "drop"), end, ms: fc.nat(9) }) },
);

test("whatever is done to it, delivers a prefix of what was sent, in order, then one close, and disarms all", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.array(fc.nat(30)), async (steps, latencies) => {
      const clock = new FakeClock();
      let asked = 0;
      const latencyMs = (): number => latencies[asked++ % latencies.length] ?? 0;
      const link = transportPair(clock, { latencyMs, closeTimeoutMs: 100 });
      const heard: Record<string, { messages: string[]; closes: number; late: number; inListen: boolean }> = {};
      const listen = (name: string, transport: LinkedTransport): void => {
        if (heard[name] !== undefined) return;
        const state = { messages: [] as string[], closes: 0, late: 0, inListen: true };
        heard[name] = state;
        transport.listen({
          message(text) {
            if (state.inListen || state.closes > 0) state.late += 1;
            state.messages.push(text);
          },
          close() {
            if (state.inListen) state.late += 1;
            state.closes += 1;
          },
        });
        state.inListen = false;
      };
      for (const [index, { type, end, ms }] of steps.entries()) {
        const transport = link[end];
        if (type === "send") transport.send(`${index}`);
        else if (type === "listen") listen(end, transport);
        else if (type === "close") transport.close(3000 + ms);
        else if (type === "mute") transport.mute();
        else if (type === "drop") transport.drop();
        else await clock.advance(ms);
      }
      listen("chargePoint", link.chargePoint);
      listen("centralSystem", link.centralSystem);
      link.chargePoint.close();
      link.centralSystem.close();
      await clock.advance(1000);

      expect(heard.chargePoint).toMatchObject({ closes: 1, late: 0 });
      expect(heard.centralSystem).toMatchObject({ closes: 1, late: 0 });
      const messagesAt = (name: string): readonly string[] => heard[name]?.messages ?? [];
      const { chargePoint, centralSystem } = link;
      expect(messagesAt("centralSystem")).toEqual(chargePoint.sent.slice(0, messagesAt("centralSystem").length));
      expect(messagesAt("chargePoint")).toEqual(centralSystem.sent.slice(0, messagesAt("chargePoint").length));
      if (!steps.some(({ type }) => type === "mute" || type === "drop" || type === "close")) {
        expect(messagesAt("centralSystem")).toEqual(chargePoint.sent);
        expect(messagesAt("chargePoint")).toEqual(centralSystem.sent);
      }
      expect(clock.pending).toBe(0);
    }),
  );
});
