/**
 * One process of the general simulation: runs the seeds of its command line, one after the other, on a chain of its own, and
 * prints a report of each as a line of JSON. `node seed-process.ts TASKS SEED...`; started by `run-seeds.ts`.
 */
import { prepareChain } from "../../integration/operator/operator-fixture.ts";
import { counts } from "./plan.ts";
import { simulateRun } from "./simulate.ts";

const [tasks = 0, ...seeds] = process.argv.slice(2).map(Number);
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
const chain = await prepareChain({
  workers: names("w", counts.workers),
  validators: names("v", counts.validators),
});
try {
  for (const [index, seed] of seeds.entries()) {
    if (index > 0) await chain.reset();
    console.log(JSON.stringify(await simulateRun(seed, tasks, chain)));
  }
} finally {
  await chain.close();
}
