/** What must hold of an agent's windows after everything that was done: computed anew from callers' receipts and batches alone. */
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import type { BatchData, BatchTask } from "../../../src/pool/batch-evidence.ts";
import { type Cluster, treasury } from "../../integration/operator/operator-fixture.ts";
import type { AnsweredLeaf } from "./callers.ts";
import type { Heard } from "./processes.ts";

export interface Outcome {
  readonly batches: readonly BatchData[];
  readonly tasks: readonly TaskObject[];
  /** By caller. */
  readonly leaves: ReadonlyMap<string, readonly AnsweredLeaf[]>;
  /** When gateways were killed. */
  readonly killsAtMs: readonly number[];
  /** Calls that reached the agent's replica. */
  readonly served: number;
  readonly budgets: ReadonlyMap<string, bigint>;
  readonly heard: Heard;
  readonly priceWei: bigint;
  readonly creator: string;
  readonly host: string;
}

export function checkOutcome(outcome: Outcome): string[] {
  const settled = outcome.batches.flatMap(({ tasks }) => tasks).filter(({ agent }) => agent !== undefined);
  return [
    ...checkCounted(outcome, settled),
    ...checkKept(outcome),
    ...checkOnce(settled),
    ...checkBudgets(outcome, settled),
    ...checkSplit(outcome, settled),
    ...checkAllSettled(outcome, settled),
    ...outcome.heard.refused.map((code) => `refused: a window of calls that were served was refused: ${code}`),
  ];
}

/** A call has one place in one window, and no window counts more calls than there were. */
function checkCounted({ leaves, served, heard, priceWei }: Outcome, settled: readonly BatchTask[]): string[] {
  const problems: string[] = [];
  const places = new Map<string, number>();
  for (const { windowId, index } of [...leaves.values()].flat()) {
    const place = `${windowId} ${index}`;
    if (places.has(place)) problems.push(`counted: two calls have receipts for place ${index} of window ${windowId}`);
    places.set(place, index);
  }
  const counted = [...heard.windows.values()].reduce((sum, { window }) => sum + window.count, 0);
  if (counted > served) problems.push(`counted: windows hold ${counted} calls; the replica has seen ${served}`);
  for (const { agent } of settled) {
    if (!agent) continue;
    const { windowId, count, failed, revenueWei } = agent.window;
    if (BigInt(revenueWei) !== BigInt(count - failed) * priceWei)
      problems.push(`counted: window ${windowId} costs ${revenueWei} wei for ${count - failed} answered calls`);
  }
  return problems;
}

/** Far more than the few milliseconds in which a gateway writes to disk: the machine may be busy. */
const lastMomentsMs = 500;

/** Answered calls that are in no window that the pool took. */
export function listUncounted({ leaves, heard }: Pick<Outcome, "leaves" | "heard">): AnsweredLeaf[] {
  const countOf = (windowId: string) => heard.windows.get(windowId)?.window.count ?? 0;
  return [...leaves.values()].flat().filter(({ windowId, index }) => index >= countOf(windowId));
}

/** What a gateway had answered is paid, also when it was killed; only of its last moments something may be missing. */
function checkKept(outcome: Outcome): string[] {
  return listUncounted(outcome).flatMap(({ windowId, index, answeredAtMs }) => {
    const killedAtMs = outcome.killsAtMs.find((atMs) => atMs >= answeredAtMs - lastMomentsMs);
    const beforeMs = (killedAtMs ?? Number.POSITIVE_INFINITY) - answeredAtMs;
    if (beforeMs <= lastMomentsMs) return [];
    return [`lost: call ${index} of window ${windowId} is in no window, and was answered ${beforeMs} ms before a kill`];
  });
}

function checkOnce(settled: readonly BatchTask[]): string[] {
  const seen = new Set<string>();
  return settled.flatMap(({ agent, taskId }) => {
    const windowId = agent?.window.windowId ?? "";
    const isFirst = !seen.has(windowId);
    seen.add(windowId);
    return isFirst ? [] : [`twice: window ${windowId} is settled again by task ${taskId}`];
  });
}

function checkBudgets({ budgets }: Outcome, settled: readonly BatchTask[]): string[] {
  return [...budgets].flatMap(([caller, budgetWei]) => {
    const paidWei = settled
      .filter(({ agent }) => agent?.window.callerId === caller)
      .reduce((sum, { rewardWei }) => sum + BigInt(rewardWei), 0n);
    return paidWei <= budgetWei ? [] : [`budget: ${caller} paid ${paidWei} wei; its budget is ${budgetWei}`];
  });
}

/** 60 creator, 25 host, 10 validators, 5 treasury: recomputed here, by no code of the pool's. */
function checkSplit({ batches, creator, host }: Outcome, settled: readonly BatchTask[]): string[] {
  const due = new Map<string, bigint>();
  const owe = (account: string, wei: bigint) => due.set(account, (due.get(account) ?? 0n) + wei);
  for (const { rewardWei, votes } of settled) {
    const revenue = BigInt(rewardWei);
    const perVote = revenue / 10n / BigInt(votes.length);
    for (const { payee } of votes) owe(payee, perVote);
    owe(host, revenue / 4n);
    owe(treasury, revenue / 20n);
    owe(creator, revenue - perVote * BigInt(votes.length) - revenue / 4n - revenue / 20n);
  }
  const last = batches.at(-1);
  const accounts = new Set([...due.keys(), ...Object.keys(last?.balances ?? {})]);
  const wrong = [...accounts].flatMap((account) => {
    const got = BigInt(last?.balances[account] ?? 0);
    return got === (due.get(account) ?? 0n)
      ? []
      : [`split: ${account} has ${got} wei; it is due ${due.get(account) ?? 0n}`];
  });
  const revenue = settled.reduce((sum, { rewardWei }) => sum + BigInt(rewardWei), 0n);
  const headers = BigInt(last?.header.settledWei ?? 0);
  return headers === revenue ? wrong : [...wrong, `split: batches settled ${headers} wei; the windows cost ${revenue}`];
}

/** Whatever was opened is paid: neither a kill nor a lost answer is anybody's loss once the pool has the window. */
function checkAllSettled({ tasks, heard }: Outcome, settled: readonly BatchTask[]): string[] {
  const paid = new Set(settled.map(({ agent }) => agent?.window.windowId));
  const open = [...heard.opened.keys()].filter((windowId) => {
    const { window } = heard.windows.get(windowId) ?? {};
    return window !== undefined && window.failed < window.count && !paid.has(windowId);
  });
  const windows = tasks.map(({ spec }) => spec.calls?.windowId ?? "");
  const twice = windows.filter((windowId, at) => windows.indexOf(windowId) !== at);
  const seeds = [...heard.windows.values()].filter(({ seeds }) => seeds.size > 1);
  return [
    ...open.map((windowId) => `settled: window ${windowId} was opened and is not settled`),
    ...twice.map((windowId) => `twice: window ${windowId} has two tasks`),
    ...seeds.map(({ window }) => `seed: window ${window.windowId} was answered with ${seeds.length} seeds`),
  ];
}

export async function readTasks(cluster: Cluster): Promise<readonly TaskObject[]> {
  const { items } = await cluster.tasks.list({ namespace: "default", labelSelector: `${labels.agent}=doubler` });
  return items;
}
