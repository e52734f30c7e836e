/** What a part of the simulation of collusion is, and how parts look at the pool. */
import { setTimeout as sleep } from "node:timers/promises";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import type { SeededRandom } from "../../chaos/random.ts";
import { aTask, type Cluster, startCluster } from "../../integration/operator/operator-fixture.ts";
import type { FaultCounts } from "../scenario.ts";

export interface Act {
  readonly problems: readonly string[];
  readonly tasks: number;
  readonly lost: number;
  readonly slashedWrongly: number;
  /** One line of what was done and what came of it. */
  readonly summary: string;
}

export type Part = (random: SeededRandom, faults: FaultCounts) => Promise<Act>;

export const validators = ["v1", "v2", "v3", "v4", "v5"] as const;
const patienceMs = 120_000;

/** Every validator is on every panel, and three of the five decide. */
export function startPool(workers: readonly string[]): Promise<Cluster> {
  return startCluster({ workers, validators, slots: 2 });
}

export function applyTask({ tasks }: Cluster, name: string): Promise<TaskObject> {
  const verification = { policy: "Exact" as const, validators: 5, quorum: 3 };
  return tasks.create(aTask(name, { verification, retries: 5, timeoutSeconds: 60 }));
}

/** Whether it came true within two minutes. */
export async function comesTrue(isTrue: () => Promise<boolean> | boolean): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (await isTrue()) return true;
    await sleep(100);
  }
  return false;
}

/** Waits until all are settled. @returns a line for each that is not as an honest worker would have it */
export async function checkTasks({ tasks }: Cluster): Promise<string[]> {
  const read = async () => (await tasks.list()).items;
  await comesTrue(async () => (await read()).every(({ status }) => status?.settlement?.block !== undefined));
  return (await read()).flatMap(({ metadata, status }) => {
    const output = JSON.stringify(status?.output?.inline?.y?.data);
    if (status?.settlement?.block === undefined) return [`lost: ${metadata.name} is ${status?.phase ?? "untouched"}`];
    return output === "[6,8]" ? [] : [`true-result: ${metadata.name} says ${output}, expected [6,8]`];
  });
}

/** @returns a line for each of these members whose stake is not whole */
export async function checkStakes(cluster: Cluster, names: readonly string[]): Promise<string[]> {
  const lines = await Promise.all(
    names.map(async (name) => {
      const { role, signer } = cluster.member(name);
      const wholeWei = (role === "Worker" ? 10_000n : 50_000n) * oneToken;
      const { stakeWei } = await cluster.chain.node(signer.address);
      return stakeWei === wholeWei ? [] : [`slash: ${name} has ${stakeWei} wei, expected ${wholeWei}`];
    }),
  );
  return lines.flat();
}

/** By what the last settled batch says it has earned. */
export async function earnedWei({ workers }: Cluster, name: string): Promise<bigint> {
  return BigInt((await workers.get({ name })).status?.earnings?.creditedWei ?? "0");
}
