/**
 * Proofs of inferences on the chain: recording one, and slashing a validator that endorsed a bad one. Both may be sent by anybody,
 * and are not journalled: the contracts refuse them a second time.
 */
import type { TransactionReceipt } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { type ProofData, toStatement } from "../protocol/proof.ts";
import { type ContractName, loadArtifact } from "./artifacts.ts";
import type { ChainWriter } from "./bond.ts";
import { compactSignature } from "./certificate.ts";
import { toChainError } from "./revert.ts";
import { requireProvider, sendBatch } from "./send-batch.ts";

/** A validator's signed word that a proof is good. */
export interface Endorsement {
  readonly validator: string;
  readonly signature: string;
}

/** @throws InferiumError TransactionReverted (InvalidProof, AlreadyProven, UnknownModel) */
export async function recordProof(writer: ChainWriter, proof: ProofData): Promise<TransactionReceipt> {
  return send(writer, { contract: "ZkVerifier", to: writer.addresses.zkVerifier, gasLimit: 400_000n }, [
    "record",
    [toStatement(proof), proof.words],
  ]);
}

/** @throws InferiumError TransactionReverted (ProofIsValid, AlreadySlashed, NotSignedByValidator) */
export async function proveBadProof(
  writer: ChainWriter,
  proof: ProofData,
  { validator, signature }: Endorsement,
): Promise<TransactionReceipt> {
  return send(writer, { contract: "ZkFaults", to: writer.addresses.zkFaults, gasLimit: 2_000_000n }, [
    "proveBadGroth16",
    [validator, toStatement(proof), proof.words, compactSignature(signature)],
  ]);
}

interface Target {
  readonly contract: ContractName;
  readonly to: string;
  readonly gasLimit: bigint;
}

/** Asked before it is sent: what would be refused costs nothing then, and says why. */
async function send(
  { signer, timeoutMs }: ChainWriter,
  { contract, to, gasLimit }: Target,
  [name, values]: readonly [string, readonly unknown[]],
): Promise<TransactionReceipt> {
  const action = `${contract}.${name}`;
  const data = loadArtifact(contract).abi.encodeFunctionData(name, values);
  try {
    await requireProvider(signer).call({ to, data, from: await signer.getAddress() });
  } catch (error) {
    throw toChainError(action, error);
  }
  const [receipt] = await sendBatch(signer, [{ action, to, data, gasLimit }], { timeoutMs: timeoutMs ?? 60_000 });
  if (receipt !== undefined) return receipt;
  throw new InferiumError("TransactionTimeout", `${action} left no receipt; send it again.`, { disposition: "retry" });
}
