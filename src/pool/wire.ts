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
import type { ChallengePlan } from "../protocol/challenge/plan.ts";
import type { ModelFindings } from "../protocol/model/findings.ts";
import type { ProofData } from "../protocol/proof.ts";
import type { ProtocolDomain, ReceiptMessage } from "../protocol/typed-data.ts";
import type { BatchData } from "./batch-evidence.ts";
import type { Duty, JudgeItem } from "./duty.ts";
import type { InlineTensors, WorkAssignment } from "./work-assignment.ts";

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

/** The signed fields of a receipt travel as they are signed: all of them are JSON already. */
export type ReceiptFields = ReceiptMessage;

export interface SignedReceipt {
  readonly message: ReceiptFields;
  readonly signature: string;
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
