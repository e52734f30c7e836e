/**
 * What must hold after a run, read from the API server and the chain alone. Each check has a name, which its problems carry:
 *
 *   terminal      every task has ended as its kind may, and one that failed says why
 *   true-result   what succeeded has the right output, whoever lied
 *   exactly-once  each task that succeeded is in one settled batch, once, and batches hold nothing else but deleted tasks
 *   paid          what the last batch pays is the sum of what is in it
 *   slash         nobody honest lost stake but for a deadline that its own attempt let pass
 *   secret        no key of anybody in any object, event or log line
 */
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { hashTaskLeaf, verifyMerkleProof } from "../../../src/protocol/merkle.ts";
import type { BatchHeaderMessage } from "../../../src/protocol/typed-data.ts";
import type { Cluster, FixtureMember, PreparedChain } from "../../integration/operator/operator-fixture.ts";
import { readHeaders } from "../exactly-once/assert-exactly-once.ts";
import { expectations } from "./build-task.ts";
import { slowAbove } from "./members.ts";
import type { Plan, PlannedTask } from "./plan.ts";

export interface RunOutcome {
  readonly problems: readonly string[];
  readonly tasks: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly refused: number;
  readonly deleted: number;
  readonly lost: number;
  readonly paidTwice: number;
  readonly slashedWrongly: number;
}

export interface Evidence {
  readonly cluster: Cluster;
  readonly chain: PreparedChain;
  readonly plan: Plan;
  readonly model: { readonly uri: string; readonly digest: string };
  readonly logs: readonly string[];
}

export async function assertGeneral(evidence: Evidence): Promise<RunOutcome> {
  const problems: string[] = [];
  const { cluster, chain, plan } = evidence;
  const found = new Map((await cluster.tasks.list()).items.map((task) => [task.metadata.name, task]));
  const count = { succeeded: 0, failed: 0, refused: 0, deleted: 0, lost: 0 };
  for (const planned of plan.tasks) {
    const task = found.get(planned.name);
    const state = checkEnd(planned, task, problems);
    count[state]++;
    if (task && state === "succeeded") checkResult(planned, task, problems);
  }
  const headers = await readHeaders({ ...chain, client: cluster.chain }, problems);
  const paidTwice = checkBatches(headers, [...found.values()], { deleted: count.deleted, problems });
  const slashedWrongly = await checkStakes(evidence, [...found.values()], problems);
  await checkSecrets(evidence, problems);
  return { problems, tasks: plan.tasks.length, ...count, paidTwice, slashedWrongly };
}

function checkEnd(
  { name, kind }: PlannedTask,
  task: TaskObject | undefined,
  problems: string[],
): "succeeded" | "failed" | "refused" | "deleted" | "lost" {
  const { phases, reason } = expectations[kind];
  const phase = task === undefined ? "Deleted" : (task.status?.phase ?? "none");
  const words = JSON.stringify([task?.status?.attempts, task?.status?.conditions]);
  if (!phases.some((expected) => expected === phase))
    problems.push(`terminal: ${name} is ${phase}, expected ${phases.join(" or ")}: ${words}`);
  if (phase === "Deleted") return "deleted";
  if (phase === "Succeeded") return "succeeded";
  const waits = phase === "Pending" || phase === "Queued";
  if (phase !== "Failed" && phase !== "Rejected" && !(waits && phases.includes(phase))) return "lost";
  const says = task?.status?.conditions?.some(({ reason: why, message }) => why !== "" && message !== "");
  if (!says) problems.push(`terminal: ${name} is ${phase} and does not say why`);
  if (reason !== undefined && !reason.test(words))
    problems.push(`terminal: ${name} does not speak of ${reason}: ${words}`);
  return waits ? "refused" : "failed";
}

function checkResult({ name, kind, x }: PlannedTask, { status }: TaskObject, problems: string[]): void {
  const input = kind === "slow" || kind === "leased" ? slowAbove + x : x;
  const output = status?.output?.inline?.y?.data?.[0];
  if (output !== 2 * input) problems.push(`true-result: ${name} says ${output} for ${input}, expected ${2 * input}`);
}

/** How many tasks are paid more than once. */
function checkBatches(
  headers: readonly BatchHeaderMessage[],
  tasks: readonly TaskObject[],
  { deleted, problems }: { deleted: number; problems: string[] },
): number {
  const places = new Map<string, string>();
  let twice = 0;
  const succeeded = tasks.filter(({ status }) => status?.phase === "Succeeded");
  for (const task of succeeded) {
    const { name } = task.metadata;
    const place = placeOf(task, headers);
    const other = place === undefined ? undefined : places.get(place);
    if (place === undefined) problems.push(`exactly-once: ${name} is in no settled batch by its own proof`);
    else if (other !== undefined) problems.push(`exactly-once: ${name} and ${other} share place ${place}`);
    else places.set(place, name);
  }
  const leaves = headers.reduce((sum, { taskCount }) => sum + taskCount, 0);
  // A task that was deleted may have been settled before.
  if (leaves > succeeded.length + deleted) {
    twice = leaves - succeeded.length - deleted;
    problems.push(
      `exactly-once: ${leaves} leaves are settled for ${succeeded.length} tasks and ${deleted} deleted ones`,
    );
  }
  const settledWei = BigInt(headers.at(-1)?.settledWei ?? 0n);
  if (settledWei !== BigInt(leaves) * oneToken)
    problems.push(`paid: ${settledWei} wei are settled for ${leaves} tasks of one token`);
  return twice;
}

function placeOf({ spec, status }: TaskObject, headers: readonly BatchHeaderMessage[]): string | undefined {
  const { settlement, receipt } = status ?? {};
  const header = headers[(settlement?.batch ?? 0) - 1];
  if (!settlement || !receipt || header === undefined) return undefined;
  const { taskId, attempt, worker } = receipt.message;
  const requester = spec.requester ?? "";
  const leaf = hashTaskLeaf({ taskId, attempt, worker, requester, receiptDigest: receipt.digest, rewardWei: oneToken });
  const isIn = verifyMerkleProof(header.taskRoot, leaf, settlement.proof ?? []);
  return isIn ? `${settlement.batch}/${settlement.index}` : undefined;
}

/** How many slashes of honest members have no cause. */
async function checkStakes(
  { cluster, chain, plan }: Evidence,
  tasks: readonly TaskObject[],
  problems: string[],
): Promise<number> {
  const { abi } = loadArtifact("SlashingManager");
  const missed = await chain.provider.getLogs({
    address: chain.addresses.slashing,
    topics: abi.encodeFilterTopics("MissedSlashed", []),
    fromBlock: 0,
  });
  const excused = new Map<string, bigint>();
  for (const log of missed) {
    const { worker, amount } = abi.parseLog(log)!.args;
    excused.set(worker, (excused.get(worker) ?? 0n) + amount);
  }
  let wrongly = 0;
  for (const member of cluster.members) {
    if (!isHonest(member, cluster.members, plan)) continue;
    const staked = (member.role === "Validator" ? 50_000n : 10_000n) * oneToken;
    const lost = staked - (await cluster.chain.node(member.signer.address)).stakeWei;
    const excuse = excused.get(member.signer.address) ?? 0n;
    const let_pass = tasks.some(({ status }) =>
      status?.attempts?.some(({ worker, outcome }) => worker === member.name && outcome === "Expired"),
    );
    if (lost === excuse && (excuse === 0n || let_pass)) continue;
    wrongly++;
    const attempts = tasks.flatMap(({ metadata, status }) =>
      (status?.attempts ?? []).filter(({ worker }) => worker === member.name).map((one) => [metadata.name, one]),
    );
    problems.push(
      `slash: ${member.name} is honest and lost ${lost} wei, of which ${excuse} for deadlines; its attempts: ${JSON.stringify(attempts)}`,
    );
  }
  return wrongly;
}

function isHonest(member: FixtureMember, members: readonly FixtureMember[], plan: Plan): boolean {
  const place = members.filter(({ role }) => role === member.role).indexOf(member);
  const isFair = plan.manner !== "lazy" && plan.manner !== "contrary";
  return member.role === "Worker" ? place !== plan.liar : place !== 0 || isFair;
}

async function checkSecrets({ cluster, logs }: Evidence, problems: string[]): Promise<void> {
  const secrets = cluster.members.map(({ name, privateKey }) => ({ name, key: privateKey.slice(2).toLowerCase() }));
  const read = async (path: string) => JSON.stringify(await cluster.transport.request({ method: "GET", path }));
  const places = [
    ["a task", "/apis/inferium.io/v1alpha1/inferencetasks"],
    ["a validation", "/apis/inferium.io/v1alpha1/validations"],
    ["a worker", "/apis/inferium.io/v1alpha1/workernodes"],
    ["a record", "/api/v1/configmaps"],
    ["an event", "/apis/events.k8s.io/v1/events"],
  ] as const;
  const texts: (readonly [string, string])[] = [["a log", logs.join("")]];
  for (const [what, path] of places) texts.push([what, await read(path)]);
  for (const [what, text] of texts)
    for (const { name, key } of secrets)
      if (text.toLowerCase().includes(key)) problems.push(`secret: the key of ${name} stands in ${what}`);
}
