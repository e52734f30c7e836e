import { expect, test } from "vitest";
import { simulateUpgrade } from "../../sim/upgrade/simulate.ts";

// The short form; `npm run test:sim -- upgrade` has 500 tasks in flight and kills one of the operators.
test("an operator replaced twice and rolled back loses no task, and none is run or settled twice", async () => {
  const report = await simulateUpgrade({ seed: 1, tasks: 24, taskMs: 300, kills: 0, timeoutMs: 50_000 });
  expect(report.problems).toEqual([]);
  expect(report).toMatchObject({ tasks: 24, lost: 0, paidTwice: 0, ranTwice: 0, faults: { "sigterm-of-leader": 3 } });
  expect(report.versions).toEqual(["0.0.9", "0.1.0", "0.1.0", "0.0.9"]);
}, 120_000);
