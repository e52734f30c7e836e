/**
 * A validator that never runs a model, and has a friend on each panel who gives away votes, salt and commitment. It tries each way
 * to have those counted as its own: after it saw them revealed, under the friend's commitment, in place of what it committed to
 * itself, and without a commitment. None may be taken; panels go on without it, and it earns nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { InferiumError } from "../../../src/base/errors.ts";
import type { PoolClient } from "../../../src/pool/client.ts";
import type { ValidateDuty } from "../../../src/pool/duty.ts";
import { computeCommitment } from "../../../src/protocol/commitment.ts";
import { attestationTypes } from "../../../src/protocol/typed-data.ts";
import { type Cluster, startOperator } from "../../integration/operator/operator-fixture.ts";
import {
  connect,
  type Memory,
  type Running,
  runValidator,
  runWorker,
} from "../../integration/operator/scripted-members.ts";
import { countFault, type FaultCounts } from "../scenario.ts";
import { applyTask, checkStakes, checkTasks, comesTrue, earnedWei, type Part, startPool, validators } from "./part.ts";

const ways = ["after-the-reveal", "same-commitment", "other-votes", "no-commitment"] as const;
type Way = (typeof ways)[number];
const [friend, copier] = ["v1", "v5"];

export const copyVotes: Part = async (random, faults) => {
  const cluster = await startPool(["w1", "w2"]);
  const operator = await startOperator(cluster);
  const running: Running[] = [];
  const given: Given = { memory: new Map(), revealed: new Set() };
  const stopping = new AbortController();
  const client = connect(cluster, operator, copier);
  const taken: string[] = [];
  const order = ways.map((way) => ({ way, at: random.next() })).sort((a, b) => a.at - b.at);
  let turn = 0;
  const nextWay = () => order[turn++ % order.length]!.way;
  const copying = copyUntilStopped({ cluster, client, given, signal: stopping.signal, faults, taken, nextWay });
  try {
    await cluster.order("order");
    for (const name of validators.filter((one) => one !== copier)) {
      const isFriend = name === friend;
      const onDuty = (duty: { kind: string; validationId?: string }) => {
        if (isFriend && duty.kind === "reveal") given.revealed.add(duty.validationId ?? "");
        return "answer" as const;
      };
      running.push(
        runValidator(cluster, operator, name, { script: { onDuty }, ...(isFriend ? { memory: given.memory } : {}) }),
      );
    }
    const problems: string[] = [];
    running.push(runWorker(cluster, operator, "w1", { slots: 1 }), runWorker(cluster, operator, "w2", { slots: 1 }));
    // One after the other, so that each is heard by a panel of its own, and every way has its turn.
    for (const [index] of ways.entries()) {
      await applyTask(cluster, `task-${index}`);
      const read = () => cluster.tasks.get({ namespace: "default", name: `task-${index}` });
      await comesTrue(async () => (await read()).status?.phase === "Succeeded");
    }
    const wrong = await checkTasks(cluster);
    problems.push(...wrong, ...taken);
    if (turn < ways.length) problems.push(`stage: the copier was on ${turn} panels, expected ${ways.length}`);
    const { items } = await cluster.validations.list();
    const address = cluster.member(copier).signer.address;
    const counted = items.filter(({ status }) =>
      status?.validators?.some((one) => one.address === address && one.votes !== undefined),
    );
    if (counted.length > 0) problems.push(`counted: ${counted.length} verdicts have a vote of the copier`);
    const unjust = await checkStakes(cluster, ["w1", "w2", ...validators.filter((name) => name !== copier)]);
    if (!(await comesTrue(async () => (await earnedWei(cluster, friend)) > 0n)))
      problems.push("paid: the friend earned nothing");
    const wei = await earnedWei(cluster, copier);
    if (wei > 0n) problems.push(`paid: the copier earned ${wei} wei`);
    problems.push(...unjust);
    const lost = wrong.filter((line) => line.startsWith("lost")).length;
    const summary = `${copier} copied on ${turn} panels: none of its votes was taken, and it earned nothing`;
    return {
      ...{ problems, tasks: ways.length, lost, slashedWrongly: unjust.length },
      summary: problems.length === 0 ? summary : `${problems.length} problems`,
    };
  } finally {
    stopping.abort(new Error("the simulation is over"));
    await copying;
    await Promise.all(running.map((member) => member.stop()));
    await client.close();
    await operator.stop();
    await cluster.close();
  }
};

/** What the friend tells. */
interface Given {
  readonly memory: Memory;
  /** Panels whose members have begun to reveal. */
  readonly revealed: Set<string>;
}

interface Copying {
  readonly cluster: Cluster;
  readonly client: PoolClient;
  readonly given: Given;
  readonly signal: AbortSignal;
  readonly faults: FaultCounts;
  /** Problems: what should have been refused and was not. */
  readonly taken: string[];
  readonly nextWay: () => Way;
}

async function copyUntilStopped(copying: Copying): Promise<void> {
  const { client, signal, nextWay } = copying;
  const seen = new Set<string>();
  while (!signal.aborted) {
    const claim = { slots: 1, models: [], waitMs: 1_000 };
    const { duties } = await client.claim(claim, signal).catch(() => ({ duties: [] }));
    for (const duty of duties) {
      if (duty.kind !== "validate" || seen.has(duty.validationId)) continue;
      seen.add(duty.validationId);
      await copy(copying, duty, nextWay()).catch((error: unknown) => {
        if (!signal.aborted) copying.taken.push(`stage: ${String(error)}`);
      });
    }
    if (duties.length === 0) await sleep(20);
  }
}

async function copy(copying: Copying, duty: ValidateDuty, way: Way): Promise<void> {
  const { cluster, given, faults, taken } = copying;
  const { validationId } = duty;
  countFault(faults, `copied-${way}`);
  const isKnown = () => given.memory.has(validationId);
  const isRevealed = () => given.revealed.has(validationId);
  const isThere = await comesTrue(
    () => copying.signal.aborted || (way === "after-the-reveal" ? isRevealed() : isKnown()),
  );
  const cast = given.memory.get(validationId);
  if (!isThere || cast === undefined) return;
  const of = (name: string, salt = cast.salt) =>
    computeCommitment({
      validationId,
      votesRoot: cast.votesRoot,
      validator: cluster.member(name).signer.address,
      salt,
    });
  if (way === "after-the-reveal" && (await commit(copying, duty, of(copier))))
    taken.push("taken: a commitment that came after the votes were revealed");
  if (way === "same-commitment") await commit(copying, duty, of(friend));
  if (way === "other-votes") await commit(copying, duty, of(copier, `0x${"11".repeat(32)}`));
  // Not before its own panel reveals, where it committed in time.
  if (way !== "no-commitment") await comesTrue(() => copying.signal.aborted || isRevealed());
  const message = { validationId, votesRoot: cast.votesRoot, validator: cluster.member(copier).signer.address };
  const signature = await cluster.member(copier).signer.signTypedData(cluster.domain, attestationTypes, message);
  const { namespace, validation } = duty;
  const reveal = { kind: "reveal" as const, namespace, validation, votes: cast.votes, salt: cast.salt, signature };
  if (await isTaken(copying, () => copying.client.attest({ ...reveal, overheadMs: 0 })))
    taken.push(`taken: the friend's votes, by way of ${way}`);
}

function commit(copying: Copying, { namespace, validation }: ValidateDuty, commitment: string): Promise<boolean> {
  return isTaken(copying, () => copying.client.attest({ kind: "commit", namespace, validation, commitment }));
}

async function isTaken(
  { faults, signal }: Copying,
  send: () => Promise<{ readonly status: string }>,
): Promise<boolean> {
  try {
    const { status } = await send();
    if (status !== "Recorded") countFault(faults, `answered-${status}`);
    return status === "Recorded";
  } catch (error) {
    if (signal.aborted) return false;
    if (!(error instanceof InferiumError) || error.disposition !== "reject") throw error;
    countFault(faults, `answered-${error.code}`);
    return false;
  }
}
