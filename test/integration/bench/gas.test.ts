import { expect, it } from "vitest";
import { benchGas } from "../../bench/gas.ts";

it("settles batches and single tasks for the figures of gas", async () => {
  const { batches, onePerTask } = await benchGas({ quorums: [{ signers: 5, of: 7 }], sizes: [1, 16] });

  expect(batches.map(({ quorum, size }) => ({ quorum, size }))).toEqual([
    { quorum: "5/7", size: 1 },
    { quorum: "5/7", size: 16 },
  ]);
  const [single, batch] = batches;
  // A batch costs the same, whatever is in it: that is why there are batches.
  expect(single?.gasPerBatch).toBeGreaterThan(50_000);
  expect(batch?.gasPerBatch).toBeLessThan(1.05 * (single?.gasPerBatch ?? 0));
  expect(batch?.gasPerTask).toBeCloseTo((batch?.gasPerBatch ?? 0) / 16, 0);
  expect(onePerTask).toEqual([{ quorum: "5/7", gasPerTask: expect.any(Number) }]);
  expect(onePerTask[0]?.gasPerTask).toBeGreaterThan(single?.gasPerBatch ?? Number.POSITIVE_INFINITY);
});
