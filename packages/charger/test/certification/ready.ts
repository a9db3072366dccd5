import { expect } from "vitest";
import { ChargerSite } from "../charger-site.ts";

type Options = ConstructorParameters<typeof ChargerSite>[0];

/** A charger that has registered and told its statuses. */
export async function ready(options?: Options): Promise<ChargerSite> {
  const site = await new ChargerSite(options).start();
  site.take();
  site.hardware.done.length = 0;
  return site;
}

/** One where a transaction of TAG runs on connector 1. */
export async function charging(options?: Options): Promise<ChargerSite> {
  const site = await ready(options);
  site.hardware.plug(1);
  site.hardware.present("TAG", 1);
  await site.clock.advance(0);
  expect(site.status(1)).toBe("Charging");
  site.take();
  return site;
}
