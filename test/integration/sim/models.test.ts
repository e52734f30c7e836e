import { expect, test } from "vitest";
import { simulateModels } from "../../sim/models/simulate.ts";

// `npm run test:sim -- models` has more models, more kills, and a source that is down.
test("models are decided once and honestly through the death of an operator, and tasks run with approved ones alone", async () => {
  const report = await simulateModels({ seed: 2, numbers: { models: 1, kills: 1, outages: 0 }, timeoutMs: 90_000 });
  expect(report.problems).toEqual([]);
  expect(report.faults).toMatchObject({ "operator-kill": 1 });
}, 300_000);
