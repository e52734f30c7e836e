/** Says for the contracts' own errors what a person can do about them. Pure. */
import { InferiumError } from "../../base/errors.ts";

const advice: Readonly<Record<string, string>> = {
  BondTooSmall: "The bond does not reach the minimum of the role; see `inferium chain status`.",
  NodeIsDisqualified: "The node is banned for ever: bond another key.",
  IsPaused: "The guardian has paused the contracts, for at most 72 hours: try again later.",
  HeaderNotFinal: "The batch is not final yet, or a later one is: try again with the newest final batch.",
  NodeConsentMissing:
    "A node's first bond needs its own signature: give --node-key-file, or send it with the node's key.",
  NotOwner: "Only the owner of the node's bond may do this: use its key.",
  StillUnbonding: "The unbonding delay is not over.",
  NothingToWithdraw: "Nothing has been unbonded.",
  NothingToClaim: "All that is final was claimed already.",
  NothingRequested: "Ask for the withdrawal first: `inferium requester withdraw --amount`.",
  NotReady: "The withdrawal has to wait until then.",
  AmountTooLarge: "There is not so much to take.",
  ERC20InsufficientBalance: "The account holds too few IFR.",
  ERC20InsufficientAllowance: "The contract may not pull so much: the approval before it did not go through.",
  WrongRole: "The node is bonded in the other role.",
  WrongState: "The dispute is in another phase; see `inferium dispute status`.",
  TooEarly: "The phase before is not over.",
  TooLate: "The time for this is over.",
  NotAJuror: "This key was not drawn for the jury.",
  AlreadyDisputed: "This result is disputed already.",
  AlreadyVoted: "This juror has voted; a juror votes once.",
  WrongCommitment: "Verdict and salt are not what this juror committed to: give the file that commit wrote.",
  SeedNotMined: "The block that draws the jury is not mined yet: try again in a few blocks.",
  EvidenceTooOld: "The time in which approvals of that epoch can be disputed is over.",
  NotAValidator: "The accused was not in the validator set of that epoch.",
  InvalidVoteProof: "The vote is not under the root that the validator signed.",
  AccessControlUnauthorizedAccount: "Only the holder of the role may do this, such as the guardian: use its key.",
  GovernorUnexpectedProposalState: "The proposal has just gone on to another state; see `inferium governance status`.",
  GovernorAlreadyCastVote: "This account has voted on it; a vote stands.",
  AlreadyOpened: "This key has challenged this row already: see `inferium zk game status --worker`.",
  ReceiptIsRefuted: "The receipt is refuted already; it is punished once.",
  WorkerHasNoStake: "The worker has no stake left that could be taken.",
  UnknownModel: "No result of this model can be disputed until it is registered: `inferium zk game register`.",
  WrongStage: "The game has moved on: see `inferium zk game status`.",
  NotYourTurn: "The other side moves next: see `inferium zk game status`.",
  NothingOwed: "Nothing is there to collect.",
};

/** The same error with advice, where the contract's reason is a known one. */
export function explainRefusal(error: unknown): unknown {
  if (!(error instanceof InferiumError)) return error;
  const text = advice[String(error.evidence.revert ?? "")];
  if (text === undefined) return error;
  return new InferiumError(error.code, `${error.message} ${text}`, {
    disposition: error.disposition,
    evidence: error.evidence,
  });
}
