import { expect, test } from "vitest";
import { simulateLeaderboard } from "../../sim/leaderboard/simulate.ts";

// `npm run test:sim -- leaderboard` kills more often.
test("a leaderboard whose operator is killed in the middle counts and pays each run once", async () => {
  const report = await simulateLeaderboard({ seed: 3, numbers: { runs: 2, kills: 1 }, timeoutMs: 120_000 });
  expect(report.problems).toEqual([]);
  expect(report.faults).toEqual({ "operator-kill": 2 });
}, 400_000);
