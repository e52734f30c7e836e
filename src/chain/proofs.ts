/**
 * Proofs of inferences on the chain: recording one, and slashing a validator that endorsed a bad one. Both may be sent by anybody,
 * and are not journalled: the contracts refuse them a second time.
 */
import type { TransactionReceipt } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { type ProofData, toStatement } from "../protocol/proof.ts";
import { loadArtifact } from "./artifacts.ts";
import type { ChainWriter } from "./bond.ts";
import { compactSignature } from "./certificate.ts";
import { toChainError } from "./revert.ts";
import { type PlannedTransaction, requireProvider, sendBatch } from "./send-batch.ts";

/** A proof that does not hold, and the signed word of a validator that it does. */
export interface BadProofEvidence {
  readonly proof: ProofData;
  readonly validator: string;
  readonly signature: string;
}

export function encodeProveBadProof({ proof, validator, signature }: BadProofEvidence): string {
  const values = [validator, toStatement(proof), proof.words, compactSignature(signature)];
  return loadArtifact("ZkFaults").abi.encodeFunctionData("proveBadGroth16", values);
}

/** @throws InferiumError TransactionReverted (InvalidProof, AlreadyProven, UnknownModel) */
export async function recordProof(writer: ChainWriter, proof: ProofData): Promise<TransactionReceipt> {
  const data = loadArtifact("ZkVerifier").abi.encodeFunctionData("record", [toStatement(proof), proof.words]);
  return send(writer, { action: "ZkVerifier.record", to: writer.addresses.zkVerifier, data, gasLimit: 400_000n });
}

/** As Settler.proveBadProof, for anybody. @throws InferiumError TransactionReverted (ProofIsValid, AlreadySlashed, NotSignedByValidator) */
export async function proveBadProof(writer: ChainWriter, evidence: BadProofEvidence): Promise<TransactionReceipt> {
  const data = encodeProveBadProof(evidence);
  const to = writer.addresses.zkFaults;
  return send(writer, { action: "ZkFaults.proveBadGroth16", to, data, gasLimit: 2_000_000n });
}

/** Asked before it is sent: what would be refused costs nothing then, and says why. */
async function send({ signer, timeoutMs }: ChainWriter, planned: PlannedTransaction): Promise<TransactionReceipt> {
  const { action, to = "", data } = planned;
  try {
    await requireProvider(signer).call({ to, data, from: await signer.getAddress() });
  } catch (error) {
    throw toChainError(action, error);
  }
  const [receipt] = await sendBatch(signer, [planned], { timeoutMs: timeoutMs ?? 60_000 });
  if (receipt !== undefined) return receipt;
  throw new InferiumError("TransactionTimeout", `${action} left no receipt; send it again.`, { disposition: "retry" });
}
