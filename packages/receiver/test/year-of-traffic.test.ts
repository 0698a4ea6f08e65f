/** The quick form of `npm run soak:year`: three weeks instead of a year, nine signals of 200. */
import { expect, it } from "vitest";
import { yearOfTraffic } from "../bench/year-of-traffic.ts";

it("is quiet over seasons and noise, sees a shift of .7, and never pages for one of .1", async () => {
  const found = await yearOfTraffic({ signals: 9, days: 21, rows: 20, seed: 3 });
  expect(found.evaluations).toBeGreaterThan(9 * 28 * 288 * 2);
  expect(found.falseAlarms).toBe(0);
  expect(found.othersAlarmed).toBe(0);
  const mean = found.delaysDays.reduce((sum, delay) => sum + delay, 0) / 3;
  expect(mean / found.oracleDays).toBeLessThan(3);
}, 120_000);
