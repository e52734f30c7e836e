import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareGeneralChain, simulateRun } from "../../sim/general/simulate.ts";
import type { PreparedChain } from "../operator/operator-fixture.ts";

let chain: PreparedChain;

beforeAll(async () => {
  chain = await prepareGeneralChain();
}, 60_000);
afterAll(() => chain?.close());

// One seed with each kind of task; `npm run test:sim -- general --seeds 200` runs many.
test("deaths, partitions, failing answers and a liar lose nothing, pay nothing twice and slash nobody honest", async () => {
  const report = await simulateRun(296, 8, chain);
  expect(report.problems).toEqual([]);
  expect(report).toMatchObject({ tasks: 8, lost: 0, paidTwice: 0, slashedWrongly: 0, refused: 1, deleted: 1 });
  expect(Object.keys(report.faults)).toEqual(
    expect.arrayContaining(["operator-death", "worker-death", "api-restart", "operator-clock-jump"]),
  );
}, 150_000);
