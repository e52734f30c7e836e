/**
 * The pool API: what workers and validators say to the operator, as JSON over TLS. They hold no Kubernetes rights; this is
 * all they can do. Wei amounts are decimal strings, digests `sha256:` strings where Kubernetes shows them and 0x-hex where
 * they are signed. Times named `...Ms` are milliseconds since the epoch, `expiresAt` and `createdAt` of orders and headers
 * seconds.
 *
 *   POST /v1/session/challenge  ChallengeRequest  -> ChallengeResponse
 *   POST /v1/session            SessionRequest    -> SessionResponse     a bearer token for the calls below
 *   POST /v1/claim              ClaimRequest      -> ClaimResponse       waits up to waitMs; work for a worker, duties for a validator
 *   POST /v1/heartbeat          HeartbeatRequest  -> HeartbeatResponse
 *   POST /v1/receipt            ReceiptRequest    -> ReceiptResponse     idempotent by (task, attempt)
 *   POST /v1/attest             AttestRequest     -> AttestResponse      commit, reveal, a proof or what is thought of one, or a
 *                                                                        signed batch header
 *   POST /v1/capability         CapabilityRequest -> CapabilityResponse  workers: the answer to a challenge of their hardware
 *   POST /v1/batch              BatchRequest      -> BatchResponse       validators: what a settled batch is made of
 *   POST /v1/item               ItemRequest       -> ItemResponse        validators: what was run, to run it again
 *   POST /v1/agents             AgentsRequest     -> AgentsResponse      gateways: who may be called; waits up to waitMs for news
 *   POST /v1/window             WindowRequest     -> CommittedWindow     gateways: a window of calls, durable before the seed is drawn
 *   POST /v1/open               OpenRequest       -> OpenResponse        gateways: the calls that the seed drew
 *   POST /v1/load               LoadRequest       -> LoadResponse        gateways: how busy agents are
 *
 * An error is `{"error":{"code","message"}}` with a 4xx or 5xx status; 429 and 503 carry Retry-After.
 */
import type { CallContentKind } from "../protocol/call-contents.ts";
import type { OpenedLeaf, WindowStatement } from "../protocol/call-window.ts";
import type { ChallengePlan } from "../protocol/challenge/plan.ts";
import type { CalibratedPair } from "../protocol/model/calibrate.ts";
import type { ModelFindings } from "../protocol/model/findings.ts";
import type { ProofData } from "../protocol/proof.ts";
import type { AgentShares } from "../protocol/reward.ts";
import type { TrainingTerms } from "../protocol/training.ts";
import type { ClaimMessage, ProtocolDomain, ReceiptMessage } from "../protocol/typed-data.ts";

/** A gateway is no node: its account stands in the pool's configuration. */
export type PoolRole = "Worker" | "Validator" | "Gateway";

export interface ChallengeRequest {
  readonly account: string;
  readonly role: PoolRole;
}
export interface ChallengeResponse {
  readonly pool: string;
  readonly domain: ProtocolDomain;
  /** 32 random bytes, 0x-hex; good for one session, until expiresAtMs. */
  readonly challenge: string;
  readonly expiresAtMs: number;
}
export interface SessionRequest {
  readonly account: string;
  readonly role: PoolRole;
  readonly challenge: string;
  readonly expiresAtMs: number;
  /** Of the Session message. */
  readonly signature: string;
}
export interface SessionResponse {
  readonly token: string;
  readonly expiresAtMs: number;
  /** Name of the WorkerNode that the account is. */
  readonly node: string;
}

export interface ModelReference {
  readonly uri: string;
  readonly digest: string;
}
/** Tensors in the JSON form of `spec.input.inline`. */
export type InlineTensors = Readonly<
  Record<
    string,
    {
      readonly dtype: string;
      readonly shape: readonly number[];
      readonly data?: readonly number[];
      readonly base64?: string;
    }
  >
>;
export interface InputReference {
  readonly inline?: InlineTensors;
  readonly uri?: string;
  readonly digest?: string;
  readonly steps?: {
    readonly count: number;
    readonly tensors: readonly string[];
    readonly state?: readonly { readonly input: string; readonly output: string }[];
  };
  /** Of the tensors only so many rows along axis 0, from one on: of those that are named, or of all. */
  readonly items?: { readonly from: number; readonly count: number; readonly tensors?: readonly string[] };
  /** The model is run once for each of so many calls, whose tensors are named `0/NAME`, `1/NAME`; so are the outputs. */
  readonly calls?: number;
}
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}
export interface PolicyReference {
  readonly policy: "Exact" | "Tolerance" | "ZeroKnowledge" | "None";
  readonly tolerance?: Tolerance;
}

/** What the pods of a task run, and where Kubernetes may place them: `spec.template` with what else the task says of it. */
export interface PodReference {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly requests?: Readonly<Record<string, string>>;
  readonly resourceClaimTemplateName?: string;
  readonly tolerations?: readonly {
    readonly key?: string;
    readonly operator: "Exists" | "Equal";
    readonly value?: string;
    readonly effect?: string;
  }[];
  readonly priorityClassName?: string;
  readonly runtimeClassName?: string;
  readonly spreadTopologyKey?: string;
  readonly queueName?: string;
  /** Pods that run together. */
  readonly size: number;
  readonly startTimeoutSeconds: number;
  /** Tiers that a node may have. */
  readonly tiers: readonly string[];
  readonly gpus?: number;
  readonly migProfile?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** What a worker must run. */
export interface WorkAssignment {
  readonly namespace: string;
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly model: ModelReference;
  readonly input: InputReference;
  readonly verification: PolicyReference;
  readonly deadlineMs: number;
  /** For launchers, and for them alone. */
  readonly pod?: PodReference;
  readonly training?: TrainingTerms;
  /** To vouch for what was served, in place of running anything anew. */
  readonly calls?: ServedCalls;
}

/** A window of an agent's calls with those that were drawn; their inputs are the task's. */
export interface ServedCalls {
  readonly statement: WindowStatement;
  readonly opened: readonly OpenedLeaf[];
  /** What the callers got: tensors named `0/NAME` for the first of the drawn calls that were answered. */
  readonly output: InlineTensors;
  /** What the tensors of input and output are; the calls' own where left out. */
  readonly content?: CallContentKind;
}

/** The signed fields of a receipt travel as they are signed: all of them are JSON already. */
export type ReceiptFields = ReceiptMessage;
export interface SignedReceipt {
  readonly message: ReceiptFields;
  readonly signature: string;
}

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

export interface SignedClaim {
  readonly message: ClaimMessage;
  readonly signature: string;
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

export interface BatchHeaderData {
  readonly sequence: string;
  readonly previousHash: string;
  readonly epoch: string;
  readonly taskRoot: string;
  readonly balanceRoot: string;
  readonly taskCount: number;
  readonly settledWei: string;
  readonly createdAt: string;
}

/** A batch with everything that is needed to recompute its roots. */
export interface BatchData {
  readonly header: BatchHeaderData;
  /** The header before, whose balance root the previous amounts must lead to; absent for the first batch. */
  readonly previousHeader?: BatchHeaderData;
  readonly tasks: readonly BatchTask[];
  /** Claims whose deadline passed without an answer, with the worker's signature; absent where there are none. */
  readonly missed?: readonly SignedClaim[];
  /** Who gets the treasury's share; validators compare it with their own configuration. */
  readonly treasury: string;
  /** Cumulative credits before and after, by address. */
  readonly previousBalances: Readonly<Record<string, string>>;
  readonly balances: Readonly<Record<string, string>>;
  /** Cumulative spending of requesters before and after, by address. */
  readonly previousSpent: Readonly<Record<string, string>>;
  readonly spent: Readonly<Record<string, string>>;
}
export interface BatchTask {
  readonly taskId: string;
  readonly attempt: number;
  readonly receipt: SignedReceipt;
  readonly receiptDigest: string;
  readonly worker: string;
  /** Who is paid for the work. */
  readonly payee: string;
  readonly requester: string;
  readonly rewardWei: string;
  /** The accepting attestations, each with the proof of its vote on this receipt; empty where policy is None. */
  readonly votes: readonly VoteEvidence[];
  /** Takes the place of votes where the task was proven. */
  readonly proven?: ProofEvidence;
  /** The requester's order; absent where nothing is paid. */
  readonly order?: SignedOrder;
  /** Whose revenue the reward is, where the task is a window of an agent's calls. */
  readonly agent?: AgentEvidence;
}
/** The window that the receipt names in place of code, and who shares its revenue by the word of the chain's AgentRevenue. */
export interface AgentEvidence {
  readonly window: WindowStatement;
  readonly creator: string;
  readonly shares: AgentShares;
}
/** A proof with all that is needed to rebuild its public signals, and the validators that checked it before. */
export interface ProofEvidence {
  readonly proof: ProofData;
  readonly model: ModelReference;
  readonly input: InputReference;
  readonly output: InlineTensors;
  readonly endorsements: readonly ProofEndorsement[];
}
export interface ProofEndorsement {
  readonly validator: string;
  /** Who is paid for it. */
  readonly payee: string;
  readonly signature: string;
}
export interface VoteEvidence {
  readonly validator: string;
  /** Who is paid for the vote. */
  readonly payee: string;
  readonly validationId: string;
  readonly votesRoot: string;
  readonly vote: "Accept" | "Reject" | "Abstain";
  readonly outputDigest: string;
  readonly proof: readonly string[];
  readonly signature: string;
}
export interface SignedOrder {
  readonly message: {
    readonly requester: string;
    readonly pool: string;
    readonly maxPerTaskWei: string;
    readonly maxTotalWei: string;
    readonly modelsRoot: string;
    readonly expiresAt: number;
    readonly nonce: string;
  };
  readonly signature: string;
  /** Model digests that `modelsRoot` is over; absent where that is zero and any model goes. */
  readonly models?: readonly string[];
}

export interface ClaimRequest {
  /** Free slots; a validator takes one duty at a time. */
  readonly slots: number;
  /** Digests of models that are loaded. */
  readonly models: readonly string[];
  readonly freeMemoryMiB?: number;
  /** At most 30,000. */
  readonly waitMs: number;
}
export interface ClaimResponse {
  readonly assignments: readonly WorkAssignment[];
  readonly duties: readonly Duty[];
  /** Only where there is no work: the worker shows what its hardware can do, at once and beside nothing else. */
  readonly challenge?: CapabilityChallenge;
}
export interface CapabilityChallenge {
  readonly challengeId: string;
  readonly plan: ChallengePlan;
  /** From now to the answer. */
  readonly limitMs: number;
}
export interface CapabilityRequest {
  readonly challengeId: string;
  readonly outcome:
    | {
        readonly kind: "Done";
        /** Base64 of the digests of all columns. */
        readonly digests: string;
        readonly provider: string;
        /** Of the GPUs, made for this challenge; absent where the machine gives none. */
        readonly evidence?: readonly GpuEvidence[];
      }
    | { readonly kind: "Failed"; readonly reason: string; readonly message: string };
}
export interface GpuEvidence {
  readonly kind: "NvidiaGpu";
  /** Base64 of the GPU's attestation report. */
  readonly report: string;
  /** PEM, the device's own first. */
  readonly certificates: readonly string[];
}
export interface CapabilityResponse {
  /** Late: another challenge counts, or none. */
  readonly status: "Recorded" | "Late";
}
/** What a worker runs, with its word for it: see ClaimMessage. */
export interface RunningAttempt {
  readonly taskId: string;
  readonly attempt: number;
  readonly claim?: { readonly deadlineMs: number; readonly signature: string };
}
export interface HeartbeatRequest {
  readonly running: readonly RunningAttempt[];
  readonly models: readonly string[];
}
export interface HeartbeatResponse {
  /** Attempts that no longer count and should be stopped. */
  readonly cancel: readonly { readonly taskId: string; readonly attempt: number }[];
}
export interface ReceiptRequest {
  readonly namespace: string;
  readonly task: string;
  readonly outcome: ReceiptOutcome;
}
export type ReceiptOutcome =
  | {
      readonly kind: "Completed";
      readonly receipt: SignedReceipt;
      /** Up to 64 KiB of tensor bytes. */
      readonly output: InlineTensors;
      readonly items: number;
    }
  | {
      readonly kind: "Failed";
      readonly taskId: string;
      readonly attempt: number;
      readonly reason: string;
      readonly message: string;
      /** False where every worker would fail the same way, such as a digest that does not match. */
      readonly retryable: boolean;
    };
export interface ReceiptResponse {
  /** Recorded: durable now. Duplicate: was recorded before. Superseded: another attempt counts, nothing was recorded. */
  readonly status: "Recorded" | "Duplicate" | "Superseded";
}
export type AttestRequest =
  | { readonly kind: "commit"; readonly namespace: string; readonly validation: string; readonly commitment: string }
  | {
      readonly kind: "reveal";
      readonly namespace: string;
      readonly validation: string;
      readonly votes: readonly { readonly vote: "Accept" | "Reject" | "Abstain"; readonly outputDigest: string }[];
      readonly salt: string;
      /** Of the Attestation message. */
      readonly signature: string;
      readonly overheadMs: number;
      readonly note?: string;
    }
  | {
      readonly kind: "prove";
      readonly namespace: string;
      readonly validation: string;
      readonly proof: ProofData;
      /** sha256 of the circuit. */
      readonly circuitDigest: string;
      readonly developmentSetup: boolean;
      readonly proveMs: number;
      /** Of the ProofEndorsement message. */
      readonly signature: string;
    }
  | { readonly kind: "endorse"; readonly namespace: string; readonly validation: string; readonly signature: string }
  /** No proof can be made, or the one that was made is not endorsed. */
  | {
      readonly kind: "decline";
      readonly namespace: string;
      readonly validation: string;
      readonly reason: string;
      readonly message: string;
    }
  | ChallengeCheck
  | ModelCheck
  | { readonly kind: "certify"; readonly sequence: string; readonly headerHash: string; readonly signature: string }
  | { readonly kind: "refuse"; readonly sequence: string; readonly headerHash: string; readonly reason: string };
export interface ChallengeCheck {
  readonly kind: "challenge";
  readonly challengeId: string;
  /** Base64 of the digests of the duty's columns; left out with a problem. */
  readonly digests?: string;
  /** Why they cannot be computed here. */
  readonly problem?: string;
}
export interface ModelCheck {
  readonly kind: "model";
  readonly checkId: string;
  readonly outcome:
    | {
        readonly kind: "Found";
        readonly findings: ModelFindings;
        /** What the model was loaded in; empty where it was not loaded. */
        readonly runtime: string;
        /** Of the ModelFinding message. */
        readonly signature: string;
        /** Outputs on the seeded inputs, by sample; empty where it could not be run on one. */
        readonly samples?: readonly InlineTensors[];
      }
    /** Why nothing can be said of the model here. */
    | { readonly kind: "Unable"; readonly reason: string; readonly message: string };
}
export interface AttestResponse {
  readonly status: "Recorded" | "Duplicate" | "Late";
}
/** For whoever watches settled results. */
export interface BatchRequest {
  /** Decimal. */
  readonly sequence: string;
}
export interface BatchResponse {
  readonly batch: BatchData;
}
/** For jurors and watchers. */
export interface ItemRequest {
  readonly taskId: string;
  readonly attempt: number;
}
export interface ItemResponse {
  readonly item: JudgeItem;
}
export interface ErrorResponse {
  readonly error: { readonly code: string; readonly message: string };
}

/** Bounds that server and clients share. */
export const poolLimits = {
  maxWaitMs: 30_000,
  maxBodyBytes: 4 * 1024 * 1024,
  maxOutputBytes: 64 * 1024,
  challengeTtlMs: 60_000,
  sessionTtlMs: 3_600_000,
} as const;
