/**
 * Disputes as the contract Disputes keeps them: their states, their ids, a juror's commitment, and what a party has to do
 * next. Used by validators, the operator and the command line. Pure: the chain's own time comes in, since its blocks decide.
 */
import { AbiCoder, keccak256 } from "ethers";

/** In the order of the contract's enums. */
export const disputeStates = ["None", "Drawing", "Committing", "Revealing", "Ruled", "Closed"] as const;
export type DisputeState = (typeof disputeStates)[number];
export const disputeRulings = ["None", "Overturned", "Upheld", "Inconclusive", "Vetoed"] as const;
export type DisputeRuling = (typeof disputeRulings)[number];
export const jurorVerdictCode = { Right: 1, Wrong: 2 } as const;
export type JurorVerdict = keyof typeof jurorVerdictCode;

export interface DisputeView {
  readonly challenger: string;
  readonly worker: string;
  readonly state: DisputeState;
  readonly ruling: DisputeRuling;
  /** End of the phase, in the chain's seconds. */
  readonly deadline: number;
  /** Its hash draws the jury. */
  readonly seedBlock: number;
  readonly bondWei: bigint;
  readonly overturn: number;
  readonly uphold: number;
}

/** The newest block of the chain. */
export interface ChainTime {
  readonly block: number;
  /** Seconds. */
  readonly timestamp: number;
}

const coder = AbiCoder.defaultAbiCoder();

/** One dispute for each challenger, receipt and set of accused. @param accused ascending */
export function computeDisputeId(receiptDigest: string, challenger: string, accused: readonly string[]): string {
  return keccak256(coder.encode(["bytes32", "address", "address[]"], [receiptDigest, challenger, accused]));
}

export interface JurorVote {
  readonly id: string;
  readonly juror: string;
  readonly verdict: JurorVerdict;
  /** 32 random bytes, 0x-hex. */
  readonly salt: string;
}

export function computeJurorCommitment({ id, juror, verdict, salt }: JurorVote): string {
  const values = [id, juror, jurorVerdictCode[verdict], salt];
  return keccak256(coder.encode(["bytes32", "address", "uint8", "bytes32"], values));
}

export interface DisputePosition {
  readonly dispute: DisputeView;
  readonly jurors: number;
  readonly revealSeconds: number;
  /** Of who asks; undefined where it is no juror. */
  readonly vote: "Open" | "Judged" | "Committed" | "Revealed" | undefined;
  readonly now: ChainTime;
}

/** The first three anybody may do, the next three a juror; Wait: look again later; Forget: it is over. */
export type DisputeStep = "Draw" | "Rule" | "Execute" | "Judge" | "Commit" | "Reveal" | "Wait" | "Forget";

export function decideDisputeStep(position: DisputePosition): DisputeStep {
  const { dispute, now, vote } = position;
  const isOver = now.timestamp > dispute.deadline;
  if (dispute.state === "None" || dispute.state === "Closed") return "Forget";
  if (dispute.state === "Drawing") return now.block > dispute.seedBlock ? "Draw" : "Wait";
  if (dispute.state === "Ruled") return isOver ? "Execute" : "Wait";
  if (dispute.state === "Committing" && !isOver) {
    if (vote === "Open") return "Judge";
    return vote === "Judged" ? "Commit" : "Wait";
  }
  return decideReveal(position);
}

/** The contract goes from committing to revealing with the first reveal; until then it counts from the end of committing. */
function decideReveal({ dispute, now, vote, jurors, revealSeconds }: DisputePosition): DisputeStep {
  const end = dispute.deadline + (dispute.state === "Committing" ? revealSeconds : 0);
  if (dispute.overturn + dispute.uphold === jurors || now.timestamp > end) return "Rule";
  return vote === "Committed" ? "Reveal" : "Wait";
}
