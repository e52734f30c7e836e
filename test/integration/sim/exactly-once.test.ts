import { expect, test } from "vitest";
import { simulateExactlyOnce } from "../../sim/exactly-once/simulate.ts";

// The short form; `npm run test:sim -- exactly-once` kills the settler at every step over a thousand tasks.
test("kills, a rival, reorganisations and a faulty endpoint lose nothing and pay nothing twice", async () => {
  const report = await simulateExactlyOnce({ seed: 7, tasks: 8, batchSize: 4, kills: 2, timeoutMs: 50_000 });
  expect(report.problems).toEqual([]);
  expect(report).toMatchObject({ tasks: 8, lost: 0, paidTwice: 0, slashedWrongly: 0 });
  expect(Object.keys(report.faults).filter((fault) => fault.startsWith("kill-")).length).toBeGreaterThan(0);
});
