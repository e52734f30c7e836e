/**
 * Stage 1: may this task enter the pool? Ordered, named checks; the first that finds something answers. Called by the
 * operator with all that it gathered; pure.
 */
import { getAddress } from "ethers";
import type { InferenceTaskSpec } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { TaskType, Tier } from "../api/v1alpha1/types.ts";
import { formatIfr, parseIfr } from "./amount.ts";
import { isStatisticsModel } from "./metrics/statistics-graph.ts";
import { isModelAllowed, type Order } from "./order.ts";

/** What the cluster's configuration allows. */
export interface AdmissionRules {
  /** Name of the pool; an order is good for one. */
  readonly pool: string;
  /** Whether verification policy None may be asked for. */
  readonly allowUnverified: boolean;
}

/** The order as it was found. `signer` is recovered by the caller, which may remember it: it is the costly part. */
export type OrderFinding =
  | { readonly state: "Found"; readonly order: Order; readonly signer: string | undefined }
  | { readonly state: "Missing" | "Invalid"; readonly detail: string };

export interface ModelFacts {
  /** Tasks of this namespace may use approved models only. */
  readonly isApprovalRequired: boolean;
  /** By which policies its results can be judged; undefined where no Model of it is approved. */
  readonly policies: readonly string[] | undefined;
}

export interface AdmissionInput {
  readonly spec: InferenceTaskSpec;
  readonly rules: AdmissionRules;
  /** Absent where the task pays nothing. */
  readonly order?: OrderFinding;
  /** What is known of the model here. */
  readonly model?: ModelFacts;
  /** What other tasks have spent or reserved of the order's total. */
  readonly reservedWei: bigint;
  readonly nowMs: number;
}

export interface Refusal {
  /** PascalCase word for machines. */
  readonly reason: string;
  /** What was got, what was expected, what to do. */
  readonly message: string;
  /** The task may become admissible without a change of its own: look again later. */
  readonly retry: boolean;
}

type Check = (input: AdmissionInput) => Refusal | undefined;

const checks: readonly Check[] = [
  checkPolicy,
  checkQuorum,
  checkTolerance,
  checkApproved,
  checkFit,
  checkOrderFound,
  checkRequester,
  checkSignature,
  checkPool,
  checkExpiry,
  checkModel,
  checkPerTask,
  checkTotal,
];

/** The first reason why the task may not enter the pool, or undefined where it may. */
export function checkTask(input: AdmissionInput): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(input);
    if (refusal) return refusal;
  }
  return undefined;
}

const refuse = (reason: string, message: string, retry = false): Refusal => ({ reason, message, retry });

function checkPolicy({ spec, rules }: AdmissionInput): Refusal | undefined {
  if (spec.verification.policy !== "None" || rules.allowUnverified) return undefined;
  return refuse(
    "PolicyNotAllowed",
    "verification.policy is None, and this pool pays for nothing that it did not check; use Exact or Tolerance.",
  );
}

/** The CRD says so too; a server without CEL must not open a way to pay by minority. */
function checkQuorum({ spec }: AdmissionInput): Refusal | undefined {
  const { policy, quorum, validators } = spec.verification;
  if (policy === "None" || (quorum <= validators && quorum * 2 > validators)) return undefined;
  const message = `quorum is ${quorum} of ${validators} validators; expected a majority of at most all.`;
  return refuse("InvalidQuorum", message);
}

function checkTolerance({ spec }: AdmissionInput): Refusal | undefined {
  if (spec.verification.policy !== "Tolerance" || spec.verification.tolerance) return undefined;
  return refuse("ToleranceMissing", "verification.policy is Tolerance and gives no tolerance; give one.");
}

function checkApproved({ spec, model }: AdmissionInput): Refusal | undefined {
  // The sums of a leaderboard are graphs of ours, which anybody can build again; weights to train are numbers that nothing runs.
  const isFree = spec.training !== undefined || isStatisticsModel(spec.model.digest);
  if (!model?.isApprovalRequired || model.policies || isFree) return undefined;
  const message = `No approved Model of this namespace has digest ${spec.model.digest}, and tasks here may use approved models only; create one.`;
  return refuse("ModelNotApproved", message, true);
}

/** Honest workers on two kinds of processors would contradict each other, and be slashed for it. */
function checkFit({ spec, model }: AdmissionInput): Refusal | undefined {
  if (spec.verification.policy !== "Exact" || !model?.policies || model.policies.includes("Exact")) return undefined;
  const message = `Validators found that the model does not give the same bits everywhere; use ${model.policies.join(" or ")}.`;
  return refuse("PolicyNotFit", message);
}

function checkOrderFound({ spec, order }: AdmissionInput): Refusal | undefined {
  if (rewardOf(spec) === 0n) return undefined;
  if (order === undefined) return refuse("OrderMissing", "A task with a reward needs orderRef; it has none.");
  if (order.state === "Found") return undefined;
  return refuse(`Order${order.state}`, order.detail, true);
}

function checkRequester({ spec, order }: AdmissionInput): Refusal | undefined {
  if (order?.state !== "Found" || rewardOf(spec) === 0n) return undefined;
  const { requester } = order.order.message;
  if (spec.requester && getAddress(spec.requester.toLowerCase()) === requester) return undefined;
  const message = `The order is from ${requester} and the task names ${spec.requester ?? "nobody"} as requester.`;
  return refuse("RequesterMismatch", message);
}

function checkSignature({ order }: AdmissionInput): Refusal | undefined {
  if (order?.state !== "Found" || order.signer === order.order.message.requester) return undefined;
  return refuse(
    "OrderNotSigned",
    `The order's signature is by ${order.signer ?? "nobody"}; expected ${order.order.message.requester}. Sign it for this chain and contract.`,
    true,
  );
}

function checkPool({ order, rules }: AdmissionInput): Refusal | undefined {
  if (order?.state !== "Found" || order.order.message.pool === rules.pool) return undefined;
  const message = `The order is for pool "${order.order.message.pool.slice(0, 64)}"; this is "${rules.pool}".`;
  return refuse("OrderForOtherPool", message, true);
}

function checkExpiry({ order, nowMs }: AdmissionInput): Refusal | undefined {
  if (order?.state !== "Found" || nowMs < order.order.message.expiresAt * 1_000) return undefined;
  const message = `The order expired ${Math.floor(nowMs / 1_000) - order.order.message.expiresAt} s ago, at ${order.order.message.expiresAt} seconds since the epoch; sign a new one.`;
  return refuse("OrderExpired", message, true);
}

function checkModel({ spec, order }: AdmissionInput): Refusal | undefined {
  if (order?.state !== "Found" || isModelAllowed(order.order, spec.model.digest)) return undefined;
  return refuse("ModelNotInOrder", `The order does not allow model ${spec.model.digest}.`, true);
}

function checkPerTask({ spec, order }: AdmissionInput): Refusal | undefined {
  if (order?.state !== "Found") return undefined;
  const most = order.order.message.maxPerTaskWei;
  if (rewardOf(spec) <= most) return undefined;
  return refuse(
    "RewardAboveOrder",
    `reward is ${spec.reward} IFR; the order allows ${formatIfr(most)} per task.`,
    true,
  );
}

function checkTotal({ spec, order, reservedWei }: AdmissionInput): Refusal | undefined {
  if (order?.state !== "Found") return undefined;
  const most = order.order.message.maxTotalWei;
  if (reservedWei + rewardOf(spec) <= most) return undefined;
  return refuse(
    "OrderExhausted",
    `The order allows ${formatIfr(most)} IFR in all, ${formatIfr(reservedWei)} are taken, and the task asks ${spec.reward}.`,
    true,
  );
}

export function rewardOf(spec: Pick<InferenceTaskSpec, "reward">): bigint {
  return spec.reward === undefined ? 0n : parseIfr(spec.reward);
}

/** Training High; Inference and Agent Mid; Leaderboard and Benchmark Low. */
const defaultTiers: Readonly<Record<TaskType, Tier>> = {
  Training: "High",
  Inference: "Mid",
  Agent: "Mid",
  Leaderboard: "Low",
  Benchmark: "Low",
};

/** The least tier that may take the task. */
export function minimumTierOf(spec: Pick<InferenceTaskSpec, "type" | "tier">): Tier {
  return spec.tier ?? defaultTiers[spec.type];
}
