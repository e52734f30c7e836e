/** What the pool gives a validator to do, as it travels: the answer to a claim. No code here. */
import type { ChallengePlan } from "../protocol/challenge/plan.ts";
import type { CalibratedPair } from "../protocol/model/calibrate.ts";
import type { ProofData } from "../protocol/proof.ts";
import type { TrainingTerms } from "../protocol/training.ts";
import type { BatchData } from "./batch-evidence.ts";
import type { SignedReceipt } from "./wire.ts";
import type { InlineTensors, InputReference, ModelReference, PolicyReference, ServedCalls } from "./work-assignment.ts";

/** One worker's result with all that it takes to run the task again. */
export interface JudgeItem {
  readonly taskId: string;
  readonly attempt: number;
  readonly model: ModelReference;
  readonly input: InputReference;
  readonly verification: PolicyReference;
  readonly receipt: SignedReceipt;
  /** How far runtimes are known to differ on the model; absent where no Model of it is approved. */
  readonly calibration?: readonly CalibratedPair[];
  /** The worker's output, needed where the policy compares values, for calls, and for trainings. */
  readonly output?: InlineTensors;
  readonly calls?: Omit<ServedCalls, "output">;
  /** The model is the weights to begin with, and parts of the training are computed again: see protocol/training.ts. */
  readonly training?: TrainingTerms;
  /** What the parts are drawn by, fixed after the receipt; all of them where it is left out. */
  readonly sampleSeed?: string;
}

/** A validator re-executes these and commits to its votes. */
export interface ValidateDuty {
  readonly kind: "validate";
  readonly namespace: string;
  readonly validation: string;
  readonly validationId: string;
  readonly items: readonly JudgeItem[];
  readonly deadlineMs: number;
}

/** All commitments are in (or their time is up): reveal. */
export interface RevealDuty {
  readonly kind: "reveal";
  readonly namespace: string;
  readonly validation: string;
  readonly validationId: string;
  readonly deadlineMs: number;
}

type DutyItem = ValidateDuty["items"][number];

/** Re-execute this one, and prove that the model gives this result. */
export interface ProveDuty {
  readonly kind: "prove";
  readonly namespace: string;
  readonly validation: string;
  readonly validationId: string;
  readonly item: DutyItem;
  readonly deadlineMs: number;
}

/** Another validator of the panel made this proof: check it, and endorse it or say what is wrong. */
export interface EndorseDuty {
  readonly kind: "endorse";
  readonly namespace: string;
  readonly validation: string;
  readonly validationId: string;
  readonly item: DutyItem;
  readonly proof: ProofData;
  readonly deadlineMs: number;
}

/** Recompute the batch from what it is made of, then sign its header. */
export interface CertifyDuty {
  readonly kind: "certify";
  readonly batch: BatchData;
  readonly deadlineMs: number;
}

/** Compute these columns of a worker's challenge: what it answered for them is not told. */
export interface ChallengeDuty {
  readonly kind: "challenge";
  readonly challengeId: string;
  readonly plan: ChallengePlan;
  readonly columns: readonly number[];
  readonly deadlineMs: number;
}

/** Fetch, scan and load this model, and say what it is. */
export interface ModelDuty {
  readonly kind: "model";
  readonly checkId: string;
  readonly model: ModelReference;
  /** Of the inputs that it is run on: the same for all of the panel. */
  readonly seed: string;
  /** Inputs that make sense to the model, as a safetensors file. */
  readonly sample?: ModelReference;
  readonly deadlineMs: number;
}

export type Duty = ValidateDuty | RevealDuty | ProveDuty | EndorseDuty | CertifyDuty | ChallengeDuty | ModelDuty;
