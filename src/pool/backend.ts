/**
 * What stands behind the pool API. The operator implements it; the server has done authentication, role checks and the
 * validation of shapes before any of these is called, and nothing else. A method that throws an InferiumError answers
 * its code: 4xx for `reject`, 503 with Retry-After for `retry`. Anything else is a 500 without its message.
 */

import type { CommittedWindow } from "../protocol/call-window.ts";
import type {
  AgentsRequest,
  AgentsResponse,
  LoadRequest,
  LoadResponse,
  OpenRequest,
  OpenResponse,
  WindowRequest,
} from "./agent-requests.ts";
import type {
  AttestRequest,
  AttestResponse,
  BatchRequest,
  BatchResponse,
  CapabilityRequest,
  CapabilityResponse,
  ClaimRequest,
  ClaimResponse,
  HeartbeatRequest,
  HeartbeatResponse,
  ItemRequest,
  ItemResponse,
  PoolRole,
  ReceiptRequest,
  ReceiptResponse,
} from "./wire.ts";

/** Who calls; proven by the session. */
export interface PoolCaller {
  /** Checksummed address. */
  readonly account: string;
  readonly role: PoolRole;
  /** Name of the WorkerNode; of a gateway, its account. */
  readonly node: string;
}

export interface Admission {
  readonly node: string;
}

/** Why an account gets no session. */
export interface AdmissionRefusal {
  /** Stable PascalCase word, such as `UnknownAccount` or `NotBonded`. */
  readonly refusal: string;
  readonly message: string;
}

export interface PoolBackend {
  /** Called for the challenge and again for the session, so that a node removed in between gets none. */
  admit(account: string, role: PoolRole): Promise<Admission | AdmissionRefusal>;
  /**
   * Resolves when there is work or `request.waitMs` is over (with empty lists). The signal is aborted when the caller
   * went away or the server closes: resolve at once then, and hand out nothing, for nobody would receive it.
   */
  claim(caller: PoolCaller, request: ClaimRequest, signal: AbortSignal): Promise<ClaimResponse>;
  heartbeat(caller: PoolCaller, request: HeartbeatRequest): Promise<HeartbeatResponse>;
  /** Workers only. Answers when the outcome is durable; the same (task, attempt) again answers Duplicate. */
  receipt(caller: PoolCaller, request: ReceiptRequest): Promise<ReceiptResponse>;
  /** Workers only. The answer to the challenge that came with a claim. */
  capability(caller: PoolCaller, request: CapabilityRequest): Promise<CapabilityResponse>;
  /** Validators only. Idempotent by (caller, kind, validation or sequence). */
  attest(caller: PoolCaller, request: AttestRequest): Promise<AttestResponse>;
  /** Validators only. What a settled batch is made of; BatchUnknown where it is not kept any more. */
  batch(caller: PoolCaller, request: BatchRequest): Promise<BatchResponse>;
  /** Validators only. What the receipt of an attempt is about; ReceiptGone where the task is gone. */
  item(caller: PoolCaller, request: ItemRequest): Promise<ItemResponse>;
  /** Gateways only. Left out where the pool hosts no agents: then none is admitted. */
  readonly agents?: AgentBackend;
}

/** What agents.ts says of each; all are idempotent. */
export interface AgentBackend {
  /** Resolves when the directory is another than the version asked with, when `waitMs` is over, or with the signal. */
  directory(request: AgentsRequest, signal: AbortSignal): Promise<AgentsResponse>;
  /** Answers once the window would survive a crash. */
  commit(request: WindowRequest): Promise<CommittedWindow>;
  open(request: OpenRequest): Promise<OpenResponse>;
  load(caller: PoolCaller, request: LoadRequest): LoadResponse;
}
