/** A batch with everything that its roots are recomputed from, as it travels to validators and watchers. No code here. */
import type { WindowStatement } from "../protocol/call-window.ts";
import type { ProofData } from "../protocol/proof.ts";
import type { AgentShares } from "../protocol/reward.ts";
import type { SignedReceipt } from "./wire.ts";
import type { InlineTensors, InputReference, ModelReference, SignedClaim } from "./work-assignment.ts";

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
