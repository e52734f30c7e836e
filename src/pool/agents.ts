/**
 * What gateway and operator say to each other about agents: who may be called, what was called, how busy they are. Types
 * only. The operator implements the verbs and the pool client carries them; a gateway is made from these interfaces and
 * knows nothing else of the pool. Wei amounts are decimal strings, digests and roots `sha256:` strings, window ids 0x-hex
 * of 32 bytes; times named `...Ms` are milliseconds since the epoch.
 */
import type { CallWindow, CommittedWindow } from "../protocol/call-window.ts";
import type { CallLeaf } from "../protocol/calls.ts";
import type { InlineTensors, ModelReference } from "./work-assignment.ts";

export interface AgentEntry {
  readonly agentId: string;
  readonly namespace: string;
  readonly name: string;
  /** Open Inference Protocol v2, or the OpenAI API: what callers speak to the gateway, and the gateway to the backends. */
  readonly protocol: "oip" | "openai";
  /** What callers ask for: `/v2/models/{modelName}`, or `model` of an OpenAI request. */
  readonly modelName: string;
  /** What the agent runs, where it is ONNX; a gateway that hosts it itself loads it by this. */
  readonly model?: ModelReference;
  /** Base URLs of ready replicas; empty where the gateway hosts the model itself. */
  readonly backends: readonly string[];
  /** No new calls; those in flight finish, and its windows are closed. */
  readonly draining: boolean;
  /** Of one call. */
  readonly priceWei: string;
  readonly limits: AgentLimits;
  readonly callers: readonly CallerEntry[] | "anyone";
}

export interface AgentLimits {
  /** Of one caller, unless the caller's own entry says less. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  /** Calls that may wait for a backend at once. */
  readonly queue: number;
  /** Calls of one backend at once; the gateway's own default where left out. */
  readonly concurrency?: number;
}

export interface CallerEntry {
  readonly id: string;
  /** `sha256:` of the bearer key. */
  readonly keyDigest: string;
  /** Whose deposit pays. */
  readonly requester?: string;
  /** Left at the time of the entry, all windows that the operator holds subtracted. */
  readonly budgetWei: string;
  /** All that its windows cost so far; the budget left is what was left at that point. */
  readonly spentWei?: string;
  /** The most that one window may cost, by the requester's order; no bound where left out. */
  readonly maxWindowWei?: string;
  readonly requestsPerSecond?: number;
}

/** Kept up to date by the long poll of the pool API. */
export interface AgentDirectory {
  current(): readonly AgentEntry[];
  /** @returns ends the subscription */
  onChange(listener: () => void): () => void;
}

export interface CallSink {
  /**
   * Resolves when the window is durable at the operator; the seed is drawn after that, so that nobody knows which calls will
   * be opened while the root can still be chosen. Idempotent by windowId: the same window has the same seed.
   * @throws InferiumError disposition retry (try again later) or reject (this window will never be taken)
   */
  commit(window: CallWindow): Promise<CommittedWindow>;
  /** The calls at `sampleCalls(seed, count, samples)`. Idempotent. Throws as commit. */
  open(windowId: string, calls: readonly OpenedCall[]): Promise<void>;
}

/** A call with what it takes to check it: its place in the window, and what went in and came out. */
export interface OpenedCall {
  readonly leaf: CallLeaf;
  /** Siblings from the leaf upwards, for `verifyCallProof`. */
  readonly proof: readonly string[];
  /** Absent where only the leaf's digest tells of it: bodies of an `openai` agent stay where they are. */
  readonly input?: CallContent;
  /** Absent for the same reason, and where the call failed. */
  readonly output?: CallContent;
}

/** Tensors of an `oip` agent: their digest is of the canonical bytes. Bodies of an `openai` agent: of the bytes as they were; nobody needs them. */
export type CallContent =
  | { readonly kind: "tensors"; readonly tensors: InlineTensors }
  | { readonly kind: "body"; readonly base64: string };

/** Sent with a heartbeat; what autoscaling goes by. */
export interface LoadReport {
  readonly agentId: string;
  readonly inFlight: number;
  readonly queued: number;
  /** Of the calls since the report before; 0 where there were none. */
  readonly p95Ms: number;
  readonly callsPerSecond: number;
}

export interface LoadSink {
  report(loads: readonly LoadReport[]): Promise<void>;
}
