import { expect, test } from "vitest";
import { simulateCapability } from "../../sim/capability/simulate.ts";

// The short form; `npm run test:sim -- capability` has twenty machines of each kind and any seed.
test("frauds of every kind fail at their rung, nobody is matched beyond its proof, and no honest machine is turned away", async () => {
  const report = await simulateCapability({ seed: 11, numbers: { machines: 1, hours: 30 }, timeoutMs: 60_000 });
  expect(report.problems).toEqual([]);
  expect(Object.keys(report.faults).length).toBeGreaterThan(15);
  expect(Math.min(...Object.values(report.faults))).toBeGreaterThan(0);
});
