/**
 * An incident that is played in the whole pool: the general simulation with faults of its own in place of chance, and an
 * account of its own after the general one.
 */
import { prepareGeneralChain, type Staged, simulateRun } from "../general/simulate.ts";
import type { ScenarioOptions, ScenarioReport } from "../scenario.ts";

export async function playInPool(staged: Staged, { seed }: ScenarioOptions): Promise<ScenarioReport> {
  const chain = await prepareGeneralChain();
  try {
    return await simulateRun(seed, staged.plan.tasks.length, chain, staged);
  } finally {
    await chain.close();
  }
}
