/** What a run shows of governance: a parameter changed by a vote. Pure. */
import { formatIfr } from "../../protocol/amount.ts";

export interface ShownVote {
  readonly proposal: string;
  /** As `slashing.missedBps: 100 bps to 200 bps`. */
  readonly change: string;
  readonly proposer: string;
  readonly votes: { readonly forWei: string; readonly againstWei: string; readonly quorumWei: string };
  /** Executed once the change is made; before that the proposal's state. */
  readonly outcome: string;
  /** From the proposal to the change. */
  readonly seconds: number;
}

export function renderVote({ change, proposer, votes, outcome, seconds }: ShownVote): string {
  const [inFavour, against, quorum] = [votes.forWei, votes.againstWei, votes.quorumWei].map((wei) =>
    formatIfr(BigInt(wei)),
  );
  return `A vote: the owner of ${proposer} proposed to change ${change}. Owners voted with their bonds, ${inFavour} IFR for and ${against} against; ${quorum} were needed. Outcome: ${outcome}${outcome === "Executed" ? ", through the timelock" : ""}, after ${seconds} s.`;
}
