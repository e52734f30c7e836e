/** Calldata of the transactions that change the contracts, one function each. Pure. */
import type { AttestationMessage, BatchHeaderMessage, ClaimMessage, ReceiptMessage } from "../protocol/typed-data.ts";
import { type ContractName, loadArtifact } from "./artifacts.ts";
import { type Certificate, compactSignature, compareAddresses } from "./certificate.ts";

/** One validator's signed vote, with its place in its tree. */
export interface VoteProof {
  readonly attestation: AttestationMessage;
  readonly signature: string;
  /** What the validator itself computed: part of the vote's leaf. */
  readonly outputDigest: string;
  /** From the vote's leaf to `attestation.votesRoot`. */
  readonly proof: readonly string[];
}

/** A vote to reject. */
export type Rejection = VoteProof;

export interface RejectedEvidence {
  readonly receipt: ReceiptMessage;
  readonly workerSignature: string;
  /** Of the validators that rejected. */
  readonly epoch: bigint;
  readonly rejections: readonly Rejection[];
}

/** That validators approved a result, which somebody doubts. */
export interface ApprovedEvidence {
  readonly receipt: ReceiptMessage;
  readonly workerSignature: string;
  /** In which those who approved sat in the validator set. */
  readonly epoch: bigint;
  readonly approvals: readonly VoteProof[];
}

/** A quorum says, by a settled batch, that the worker let the deadline of a claim pass that it had signed. */
export interface MissedEvidence {
  readonly claim: ClaimMessage;
  /** The worker's, of the claim. */
  readonly signature: string;
  /** From the batch with the claim's leaf on, up to the last settled one or one whose sequence is a multiple of 256. */
  readonly path: readonly BatchHeaderMessage[];
  /** From the claim's leaf to the task root of `path[0]`. */
  readonly proof: readonly string[];
}

export interface ContradictionEvidence {
  readonly receiptA: ReceiptMessage;
  readonly signatureA: string;
  readonly receiptB: ReceiptMessage;
  readonly signatureB: string;
}

export interface RewardClaim {
  readonly account: string;
  readonly cumulativeWei: bigint;
  readonly proof: readonly string[];
}

const encode = (contract: ContractName, name: string, values: readonly unknown[]) =>
  loadArtifact(contract).abi.encodeFunctionData(name, values);

export function encodeSettle(header: BatchHeaderMessage, certificate: Certificate): string {
  return encode("Settlement", "settle", [header, certificate.bitmap, certificate.signatures]);
}

export function encodeSlashRejected(evidence: RejectedEvidence): string {
  const workerSignature = compactSignature(evidence.workerSignature);
  const rejections = sortVotes(evidence.rejections);
  return encode("SlashingManager", "slashRejected", [evidence.receipt, workerSignature, evidence.epoch, rejections]);
}

export function encodeOpenDispute(evidence: ApprovedEvidence): string {
  const workerSignature = compactSignature(evidence.workerSignature);
  const approvals = sortVotes(evidence.approvals);
  return encode("Disputes", "open", [evidence.receipt, workerSignature, evidence.epoch, approvals]);
}

/** As the contracts take them: ascending by validator. */
function sortVotes(votes: readonly VoteProof[]) {
  return [...votes]
    .sort((a, b) => compareAddresses(a.attestation.validator, b.attestation.validator))
    .map(({ attestation, signature, ...rest }) => ({
      ...attestation,
      ...rest,
      signature: compactSignature(signature),
    }));
}

export function encodeSlashMissed({ path, claim, proof, signature }: MissedEvidence): string {
  return encode("SlashingManager", "slashMissed", [path, claim, proof, compactSignature(signature)]);
}

export function encodeProveContradiction(evidence: ContradictionEvidence): string {
  return encode("SlashingManager", "proveContradiction", [
    evidence.receiptA,
    compactSignature(evidence.signatureA),
    evidence.receiptB,
    compactSignature(evidence.signatureB),
  ]);
}

/** @param header the newest final one */
export function encodeClaimMany(header: BatchHeaderMessage, claims: readonly RewardClaim[]): string {
  return encode("RewardDistributor", "claimMany", [header, claims]);
}

/** @param header the newest final one; `proof` leads from the requester's spent leaf to its balance root */
export function encodeProveSpent(
  header: BatchHeaderMessage,
  spent: { readonly requester: string; readonly spentWei: bigint; readonly proof: readonly string[] },
): string {
  return encode("TaskEscrow", "proveSpent", [header, spent.requester, spent.spentWei, spent.proof]);
}
