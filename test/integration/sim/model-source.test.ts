import { expect, test } from "vitest";
import { simulateModelSource } from "../../sim/model-source/simulate.ts";

// `npm run test:sim -- model-source` runs more rounds.
test("models from hostile and broken sources end with their reasons, and leave nothing behind", async () => {
  const report = await simulateModelSource({ seed: 1, numbers: { rounds: 1 }, timeoutMs: 60_000 });
  expect(report.problems).toEqual([]);
  expect(report).toMatchObject({ tasks: 120, lost: 0 });
}, 60_000);
