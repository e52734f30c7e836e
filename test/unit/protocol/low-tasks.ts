/** Tasks that any worker can take, which differ in tenant, order and GPUs alone, and a worker that takes one. */
import type { TaskPool } from "../../../src/protocol/pool.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

export const low = (id: string, key: number, tenant: string, gpus = 1): WaitingTask => ({
  ...{ id, key, tenant, requirements: { tier: "Low", gpus }, model: "m", failedWorkers: [] },
});
export const takeOne = (pool: TaskPool) => pool.take({ count: 1, models: new Set(), fits: () => true })[0];
