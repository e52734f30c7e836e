/**
 * The second part of the demonstration, which is staged and says so: a wrong result that is approved, settled, disputed and
 * overturned. A validator joins that approves without looking. A requester asks for one validator only; for that moment the honest
 * validators are cordoned, so that the lazy one is drawn, as luck would do it some time; the cheater answers without computing.
 * From there on nothing is staged: an honest validator finds the settled result wrong and disputes it, a jury of the others runs
 * it again, and the contract takes the stakes.
 */
import type { InferenceTask, WorkerNode } from "../../api/v1alpha1/types.ts";
import { inferenceTaskResource, workerNodeResource } from "../../api/v1alpha1/types.ts";
import { InferiumError } from "../../base/errors.ts";
import { loadArtifact } from "../../chain/artifacts.ts";
import { mintTokens } from "../../chain/bond.ts";
import { defaultDeployParameters } from "../../chain/deploy-parameters.ts";
import { createDisputeReader } from "../../chain/dispute-reader.ts";
import { createClient } from "../../kube/client.ts";
import { defineResource } from "../../kube/resource.ts";
import type { ShownDispute } from "../demo/summary.ts";
import { demoNamespace, type TaskManifest } from "../demo/workload.ts";
import { bondMember } from "./local-chain.ts";
import type { Member } from "./members.ts";
import type { System } from "./start-system.ts";
import { waitUntil } from "./watch.ts";

export interface ShowOptions {
  readonly system: System;
  /** Asks for one validator. */
  readonly task: TaskManifest;
  readonly signal: AbortSignal;
  /** Seconds since the command started. */
  readonly seconds: () => number;
  readonly say: (text: string) => void;
}

const settledTimeoutMs = 60_000;
const overturnedTimeoutMs = 120_000;

/** Empty where it did not come to a dispute within its time: the rest of the run does not depend on it. */
export async function showDispute(options: ShowOptions): Promise<ShownDispute[]> {
  const { system, say } = options;
  const startedAt = options.seconds();
  const cheater = requireMember(system, "Worker");
  const lazy = requireMember(system, "Validator");
  const slashedBeforeWei = slashedOf(system, cheater);
  try {
    await Promise.all([system.join(lazy), topUp(system, cheater)]);
    await submitUnwatched(options, lazy);
    say(`staged     ${lazy.name} alone approved a result that ${cheater.name} had not computed; it is settled`);
    await waitFor(options, overturnedTimeoutMs, "the result to be overturned", (task) => isTrue(task, "Overturned"));
    await waitForPenalties(options, lazy, () => slashedOf(system, cheater) > slashedBeforeWei);
  } catch (error) {
    if (!(error instanceof InferiumError) || error.code !== "WaitTimeout") throw error;
    say(`dispute    ${error.message}`);
  }
  const shown = await readDisputes(system, options.task.metadata.name);
  return shown.map((dispute) => ({ ...dispute, seconds: Number((options.seconds() - startedAt).toFixed(1)) }));
}

function requireMember({ members }: System, role: Member["role"]): Member {
  const found = members.find((member) => member.role === role && !member.honest);
  if (found !== undefined) return found;
  throw new InferiumError("NoSuchMember", `No ${role} of this run is dishonest; the show needs one.`);
}

/** After its first penalty it is bonded too little to be given work; its owner puts up what is missing. */
async function topUp({ chain }: System, cheater: Member): Promise<void> {
  const { stakeWei } = await chain.client.node(cheater.key.address);
  const missingWei = defaultDeployParameters.workerBondWei - stakeWei;
  if (missingWei <= 0n) return;
  await mintTokens(chain.writer, [{ account: cheater.owner, amountWei: missingWei }]);
  await bondMember(chain.writer, cheater, missingWei);
}

async function submitUnwatched(options: ShowOptions, lazy: Member): Promise<void> {
  const { system, task } = options;
  const others = system.members.filter(({ role, name }) => role === "Validator" && name !== lazy.name);
  await cordon(system, others, true);
  try {
    const tasks = createClient(system.cluster.transport, defineResource<InferenceTask>(inferenceTaskResource));
    await tasks.create(task as InferenceTask);
    await waitFor(options, settledTimeoutMs, "the result to be settled", (now) => isTrue(now, "Settled"));
  } finally {
    await cordon(system, others, false);
  }
}

async function cordon({ cluster }: System, members: readonly Member[], cordoned: boolean): Promise<void> {
  const client = createClient(cluster.transport, defineResource<WorkerNode>(workerNodeResource));
  const patch = { kind: "merge", body: { spec: { cordoned } } } as const;
  await Promise.all(members.map(({ name }) => client.patch({ name }, patch)));
}

async function waitFor(
  { system, task, signal }: ShowOptions,
  timeoutMs: number,
  what: string,
  isDone: (task: InferenceTask | undefined) => boolean,
): Promise<void> {
  const { tasks, nodes } = system.watch;
  const find = () => tasks.store.get(`${demoNamespace}/${task.metadata.name}`);
  await waitUntil({
    informers: [tasks, nodes],
    signal,
    timeoutMs,
    isTrue: () => isDone(find()),
    describe: () => `${what}; task ${task.metadata.name} is ${find()?.status?.phase ?? "not there"}.`,
  });
}

function slashedOf({ watch }: System, member: Member): bigint {
  return BigInt(watch.nodes.store.get(member.name)?.status?.earnings?.slashedWei ?? "0");
}

/** The chain has them before the members' statuses say so. */
async function waitForPenalties(options: ShowOptions, lazy: Member, isCheaterSlashed: () => boolean): Promise<void> {
  const { nodes } = options.system.watch;
  const isOut = () => {
    const { status } = nodes.store.get(lazy.name) ?? {};
    return status?.bond?.stakeWei === "0" && !isTrue({ status }, "Elected") && isCheaterSlashed();
  };
  await waitFor(options, overturnedTimeoutMs, `${lazy.name} to be shown without stake and seat`, isOut);
}

type WithConditions = {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] } | undefined;
};

function isTrue(object: WithConditions | undefined, type: string): boolean {
  return (
    object?.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false
  );
}

/** From the chain: what was ruled, and what it took. */
async function readDisputes({ chain, members }: System, task: string): Promise<Omit<ShownDispute, "seconds">[]> {
  const reader = createDisputeReader(chain.client);
  const nameOf = (address: string) => members.find(({ key }) => key.address === address)?.name ?? address;
  const shown: Omit<ShownDispute, "seconds">[] = [];
  for (const { id, challenger } of await reader.list(0)) {
    const [view, jury] = await Promise.all([reader.dispute(id), reader.jury(id)]);
    const losses = await readLosses(chain, id);
    const roleOf = (node: string) => members.find(({ key }) => key.address === node)?.role;
    const lossesOf = (role: Member["role"]) => losses.filter(({ node }) => roleOf(node) === role);
    shown.push({
      task,
      dispute: id,
      challenger: nameOf(challenger),
      outcome: view.state === "Closed" ? view.ruling : view.state,
      jury: jury.map(nameOf),
      votes: { wrong: view.overturn, right: view.uphold },
      slashed: lossesOf("Validator").map(({ node, wei }) => ({ validator: nameOf(node), wei: wei.toString() })),
      workers: lossesOf("Worker").map(({ node, wei }) => ({ worker: nameOf(node), wei: wei.toString() })),
    });
  }
  return shown;
}

async function readLosses({ client }: System["chain"], id: string): Promise<{ node: string; wei: bigint }[]> {
  const { abi } = loadArtifact("NodeRegistry");
  const topics = abi.encodeFilterTopics("Slashed", [null, id]);
  const logs = await client.provider.getLogs({ address: client.addresses.registry, topics, fromBlock: 0 });
  return logs.flatMap((log) => {
    const args = abi.parseLog(log)?.args;
    return args === undefined ? [] : [{ node: args.node as string, wei: args.amount as bigint }];
  });
}
