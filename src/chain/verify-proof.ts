/**
 * Checks the proof behind a settled task against the chain's registry: that the statement in the task's leaf is this one, that the
 * circuit is the registered one, and that the chain finds the proof good. What the statement says of input and output is checked by
 * whoever has them (cli/chain/verify-inputs.ts). Reads only.
 */
import { digestToBytes32, parseDigest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { hashStatement, type ProofData, toStatement } from "../protocol/proof.ts";
import type { ReceiptMessage } from "../protocol/typed-data.ts";
import type { ChainClient } from "./client.ts";
import type { Check } from "./verify-settlement.ts";

export interface ProofClaim {
  readonly receipt: ReceiptMessage;
  /** In the task's leaf. */
  readonly statementHash: string;
  readonly proof: ProofData;
  /** `sha256:` of the circuit, as the Validation says. */
  readonly circuitDigest: string;
}

/** @throws InferiumError RpcFailed */
export async function verifyProof(client: ChainClient, claim: ProofClaim): Promise<Check[]> {
  return [checkStatement(claim), await checkCircuit(client, claim), await checkProof(client, claim)];
}

function checkStatement({ proof, statementHash }: ProofClaim): Check {
  const got = hashStatement(toStatement(proof));
  const passed = got === statementHash;
  const detail = passed
    ? `the leaf holds what the proof says: ${statementHash}`
    : `the proof is for statement ${got}, the leaf holds ${statementHash}`;
  return { name: "Statement", passed, detail };
}

async function checkCircuit(client: ChainClient, { receipt, proof, circuitDigest }: ProofClaim): Promise<Check> {
  const circuit = await client.circuit(receipt.modelDigest, proof.rows);
  if (circuit === undefined) {
    const detail = `ModelRegistry has no circuit of model ${receipt.modelDigest} for ${proof.rows} rows`;
    return { name: "Circuit", passed: false, detail };
  }
  const passed = digestToBytes32(parseDigest(circuitDigest)) === circuit.r1csDigest;
  const setup = circuit.isDevelopment ? ", keys of a development setup" : "";
  const detail = passed
    ? `ModelRegistry holds circuit ${circuit.r1csDigest} for ${proof.rows} rows of this model${setup}`
    : `ModelRegistry holds circuit ${circuit.r1csDigest}; the proof is said to be of ${circuitDigest}`;
  return { name: "Circuit", passed, detail };
}

/** ZkVerifier takes the key from ModelRegistry and computes the signal of the task itself. */
async function checkProof(client: ChainClient, { receipt, proof }: ProofClaim): Promise<Check> {
  try {
    await client.verifyProof(receipt, toStatement(proof), proof.words);
    return { name: "Proof", passed: true, detail: "ZkVerifier finds it good for this task, attempt, worker and model" };
  } catch (error) {
    if (!(error instanceof InferiumError) || error.code !== "TransactionReverted") throw error;
    return { name: "Proof", passed: false, detail: `ZkVerifier refuses it: ${error.evidence.revert}` };
  }
}
