/**
 * One process of the general simulation: runs the seeds of its command line, one after the other, on a chain of its own, and
 * prints a report of each as a line of JSON. `node seed-process.ts TASKS SEED...`; started by `run-seeds.ts`.
 */
import { prepareGeneralChain, simulateRun } from "./simulate.ts";

const [tasks = 0, ...seeds] = process.argv.slice(2).map(Number);
const chain = await prepareGeneralChain();
try {
  for (const [index, seed] of seeds.entries()) {
    if (index > 0) await chain.reset();
    console.log(JSON.stringify(await simulateRun(seed, tasks, chain)));
  }
} finally {
  await chain.close();
}
