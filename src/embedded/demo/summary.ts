/** What an embedded run did: one object for machines, and the same in words for people. Pure. */
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import { formatIfr } from "../../protocol/amount.ts";
import { viewElements } from "../../protocol/tensors/elements.ts";
import { requireTensor } from "../../protocol/tensors/tensor.ts";
import { countCorrect } from "./data/mnist.ts";
import { computeProgress, type WorkerProgress } from "./progress.ts";
import { renderTable } from "./render-progress.ts";
import { renderAgent, type ShownAgent } from "./shown-agent.ts";
import { renderLeaderboard, type ShownLeaderboard } from "./shown-leaderboard.ts";
import { renderModels, type ShownModel } from "./shown-model.ts";
import { renderTraining, type ShownTraining } from "./shown-training.ts";
import { renderVote, type ShownVote } from "./shown-vote.ts";

/** The last line of `--output json`. Times are seconds since the command started; amounts are wei. */
export interface Summary {
  readonly tasks: {
    readonly submitted: number;
    readonly succeeded: number;
    /** Tasks of which validators refused at least one result; each was redone unless it is also counted as failed. */
    readonly rejected: number;
    readonly failed: number;
  };
  readonly inferences: number;
  readonly accuracy: { readonly mnist: number };
  readonly speech: { readonly seconds: number; readonly segments: readonly SpeechSegment[] };
  readonly workers: readonly {
    readonly name: string;
    readonly tier: string;
    readonly tasks: number;
    readonly paidWei: string;
    readonly slashedWei: string;
  }[];
  readonly chain: { readonly batches: number; readonly tasksSettled: number; readonly gasPerTask: number };
  readonly zk: ZkSummary;
  readonly seconds: { readonly ready: number; readonly firstSettled: number; readonly allSettled: number };
  readonly apiWritesPerTask: number;
  /** What the staged part showed; its task is in none of the numbers above, its penalties are in the workers'. */
  readonly disputes: readonly ShownDispute[];
  /** What governance decided. */
  readonly proposals: readonly ShownVote[];
  /** What validators found of the models that were used. */
  readonly models: readonly ShownModel[];
  /** Trainings in pods; empty where none was asked for. */
  readonly trainings: readonly ShownTraining[];
  /** Models side by side; the tasks of their runs are in none of the numbers above but those of workers. */
  readonly leaderboards: readonly ShownLeaderboard[];
  /** Hosted models, with what their calls cost and who shares it; their windows' tasks are in none of the numbers above. */
  readonly agents: readonly ShownAgent[];
  readonly simulated: readonly string[];
}

export interface ShownDispute {
  readonly task: string;
  readonly dispute: string;
  readonly challenger: string;
  /** The ruling once it is carried out, such as Overturned; before that the dispute's state. */
  readonly outcome: string;
  readonly jury: readonly string[];
  readonly votes: { readonly wrong: number; readonly right: number };
  readonly slashed: readonly { readonly validator: string; readonly wei: string }[];
  readonly workers: readonly { readonly worker: string; readonly wei: string }[];
  /** From the submission of the task to the penalties. */
  readonly seconds: number;
}

export interface ZkSummary {
  /** Tasks with policy ZeroKnowledge; of those, settled by a proof, and by votes since there was none. */
  readonly tasks: number;
  readonly proven: number;
  readonly fellBack: number;
  /** From the duty to the signed proof, re-execution included. */
  readonly proveSeconds: { readonly median: number; readonly longest: number };
  /** Most that one proof cost to be checked and recorded on the chain. */
  readonly gasPerProof: number;
  readonly constraints: number;
  /** development: whoever made the keys could forge proofs. */
  readonly setup: "development" | "ceremony";
  /** What the chain called a proof for another result, and one of another task. */
  readonly refused: { readonly forgedResult: string; readonly anotherTask: string };
}

export interface SpeechSegment {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

export interface RunFacts {
  readonly tasks: readonly InferenceTask[];
  readonly nodes: readonly WorkerProgress[];
  /** True labels by task name. */
  readonly labels: ReadonlyMap<string, Uint8Array>;
  readonly speech: Summary["speech"];
  /** Tokens that each node's owner holds after claiming, by node name. */
  readonly paidWei: ReadonlyMap<string, bigint>;
  readonly zk: ZkSummary;
  readonly settleGas: { readonly batches: number; readonly gasUsed: bigint };
  readonly seconds: Summary["seconds"];
  readonly statusWrites: number;
  readonly disputes: Summary["disputes"];
  readonly proposals: Summary["proposals"];
  readonly models: Summary["models"];
  readonly trainings: Summary["trainings"];
  readonly leaderboards: Summary["leaderboards"];
  readonly agents: Summary["agents"];
}

export function computeSummary(facts: RunFacts): Summary {
  const progress = computeProgress(facts.tasks, []);
  const { batches, gasUsed } = facts.settleGas;
  return {
    tasks: {
      submitted: facts.tasks.length,
      succeeded: progress.byPhase.Succeeded ?? 0,
      rejected: progress.rejected,
      failed: (progress.byPhase.Failed ?? 0) + (progress.byPhase.Rejected ?? 0),
    },
    inferences: progress.inferences,
    accuracy: { mnist: computeAccuracy(facts.tasks, facts.labels) },
    speech: facts.speech,
    workers: facts.nodes.filter((node) => node.role !== "Validator").map((node) => describeWorker(node, facts)),
    chain: {
      batches,
      tasksSettled: progress.settled,
      gasPerTask: progress.settled === 0 ? 0 : Math.round(Number(gasUsed) / progress.settled),
    },
    zk: facts.zk,
    seconds: facts.seconds,
    apiWritesPerTask: facts.tasks.length === 0 ? 0 : round(facts.statusWrites / facts.tasks.length, 3),
    disputes: facts.disputes,
    proposals: facts.proposals,
    models: facts.models,
    trainings: facts.trainings,
    leaderboards: facts.leaderboards,
    agents: facts.agents,
    simulated: ["GPUs", "nodes", "chain"],
  };
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));

function describeWorker(node: WorkerProgress, facts: RunFacts): Summary["workers"][number] {
  return {
    name: node.name,
    tier: node.tier,
    tasks: node.completed,
    paidWei: (facts.paidWei.get(node.name) ?? 0n).toString(),
    slashedWei: node.slashedWei.toString(),
  };
}

/** Share of images whose settled label is the true one; every image of the set counts, answered or not. */
function computeAccuracy(tasks: readonly InferenceTask[], labels: ReadonlyMap<string, Uint8Array>): number {
  let correct = 0;
  let total = 0;
  for (const truth of labels.values()) total += truth.length;
  for (const task of tasks) {
    const truth = labels.get(task.metadata.name);
    const output = task.status?.phase === "Succeeded" ? task.status.output?.inline : undefined;
    if (truth && output) correct += countCorrect(viewElements(requireTensor(readInline(output), "label")), truth);
  }
  return total === 0 ? 0 : round(correct / total, 4);
}

function renderDispute(shown: ShownDispute): string[] {
  const losses = [
    ...shown.slashed.map(
      ({ validator, wei }) => `${validator} its whole stake of ${formatIfr(BigInt(wei))} IFR and its seat`,
    ),
    ...shown.workers.map(({ worker, wei }) => `${worker} ${formatIfr(BigInt(wei))} IFR`),
  ];
  const { wrong, right } = shown.votes;
  return [
    `Staged for this run: ${shown.task} asked for one validator only, the one drawn was lazy and approved a result that ${shown.workers[0]?.worker ?? "its worker"} had not computed, and it was settled.`,
    `Not staged: ${shown.challenger} re-ran the settled task, put up a bond and disputed it. The jury (${shown.jury.join(", ") || "none"}) re-ran it too: ${wrong} found it wrong, ${right} right. Outcome: ${shown.outcome}${losses.length === 0 ? "" : `; the chain took from ${losses.join(", and from ")}`}. It took ${shown.seconds} s.`,
  ];
}

export function renderSummary(summary: Summary, hints: readonly string[]): string {
  const { tasks, chain, seconds } = summary;
  const cheats = summary.workers.filter((worker) => worker.slashedWei !== "0");
  const speech = summary.speech.segments.map((s) => `${s.startSeconds.toFixed(2)}-${s.endSeconds.toFixed(2)} s`);
  return [
    `${tasks.succeeded} of ${tasks.submitted} tasks were run, checked by validators and settled: ${summary.inferences} inferences.`,
    `The classifier read ${(summary.accuracy.mnist * 100).toFixed(2)} % of the 10,000 MNIST test images correctly; in ${summary.speech.seconds.toFixed(1)} s of audio speech was found at ${speech.join(", ") || "no time"}.`,
    `${chain.batches} batches settled ${chain.tasksSettled} tasks on the chain at ${chain.gasPerTask} gas per task.`,
    ...describeProofs(summary.zk),
    "",
    ...renderTable(
      ["WORKER", "TIER", "ACCEPTED TASKS", "PAID IFR", "SLASHED IFR"],
      summary.workers.map((worker) => [
        worker.name,
        worker.tier,
        String(worker.tasks),
        formatIfr(BigInt(worker.paidWei)),
        worker.slashedWei === "0" ? "-" : formatIfr(BigInt(worker.slashedWei)),
      ]),
    ),
    "",
    ...cheats.map((worker) => {
      const inDisputes = summary.disputes.flatMap(({ workers }) =>
        workers.filter((lost) => lost.worker === worker.name),
      );
      const rejectedWei = BigInt(worker.slashedWei) - inDisputes.reduce((sum, { wei }) => sum + BigInt(wei), 0n);
      return `${worker.name} signed a result that it had not computed. The validators re-ran the task, refused the result, another worker redid it, and the chain took ${formatIfr(rejectedWei)} IFR from its bond.`;
    }),
    ...summary.disputes.flatMap(renderDispute),
    ...summary.proposals.map(renderVote),
    ...renderModels(summary.models),
    ...summary.trainings.map(renderTraining),
    ...summary.leaderboards.flatMap(renderLeaderboard),
    ...summary.agents.map(renderAgent),
    `Ready after ${seconds.ready} s, first task settled after ${seconds.firstSettled} s, all after ${seconds.allSettled} s; ${summary.apiWritesPerTask} status writes per task.`,
    "The nodes, their GPUs and the chain are simulated on this machine; models, data, executions, votes and signatures are real.",
    "",
    ...hints,
  ].join("\n");
}

function describeProofs(zk: ZkSummary): string[] {
  if (zk.tasks === 0) return [];
  const { median, longest } = zk.proveSeconds;
  const setup = zk.setup === "development" ? " (keys of a development setup, whose maker could forge proofs)" : "";
  return [
    `${zk.proven} of ${zk.tasks} single images were proven in zero knowledge${setup}: ${zk.constraints} constraints, ${median} s a proof (longest ${longest} s), ${zk.gasPerProof} gas to check and record one on the chain.`,
    `The chain refused a proof for a forged result (${zk.refused.forgedResult}) and one of another task (${zk.refused.anotherTask}).`,
    ...(zk.fellBack > 0
      ? [`${zk.fellBack} of them had no proof in time and were re-executed by the panel instead.`]
      : []),
  ];
}
