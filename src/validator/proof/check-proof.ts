/**
 * Does this proof hold for this work? Every public input is rebuilt here, and the key is the one that the chain's registry holds.
 * Called before a validator endorses a proof, its own too, and before it certifies a batch with one. Effects: fetches, reads of the
 * chain, the backend's process.
 */
import { parseDigest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { RegisteredCircuit } from "../../chain/registered-circuit.ts";
import type { ArtifactReader } from "../../inference/read-artifacts.ts";
import { hashProofWords, hashStatement, type ProofData, toStatement } from "../../protocol/proof.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { digestVerifyingKey, proofFromWords, verifyingKeyFromWords } from "../../zk/proving/groth16.ts";
import type { ProvenInference } from "../../zk/proving/prove-inference.ts";
import type { ProvingBackend } from "../../zk/proving/proving-backend.ts";
import { type RegisteredKey, verifyInference, verifyShown } from "../../zk/proving/verify-inference.ts";
import type { ChainView } from "../certify/certify-duty.ts";
import { type Finding, finding } from "../certify/finding.ts";
import { digestReceipt } from "../check-receipt.ts";
import { type ProofInputs, readProofInputs, type WorkReferences } from "./proof-inputs.ts";

export interface ProofContext {
  readonly domain: ProtocolDomain;
  readonly chain: Pick<ChainView, "readCircuit" | "readModelRegistry">;
  readonly artifacts: ArtifactReader;
  /** Checks proofs; not the one that makes them, which is busy for seconds. */
  readonly backend: ProvingBackend;
  readonly allowDevelopmentSetup: boolean;
}

/** Undefined where the proof holds. @throws InferiumError that may pass (retry), or the signal's reason */
export type CheckProof = (work: WorkReferences, proof: ProofData, signal: AbortSignal) => Promise<Finding | undefined>;

export interface ProofChecks {
  /** Before our bond stands for it: everything is rebuilt, or it is not endorsed. */
  readonly toEndorse: CheckProof;
  /**
   * Before a batch with it is certified: the same, but where the model or the input cannot be had any more, the word of a quorum of
   * bonds says what they were. Else whoever serves an input could stop all settlement by serving it no longer.
   */
  readonly toCertify: CheckProof;
}

const rememberedProofs = 4_096;
const unreachable = new Set(["NotFound", "NotAllowed", "InvalidUri", "Unavailable"]);

export function createProofChecks(context: ProofContext): ProofChecks {
  // Whoever endorsed a proof meets it again in the batch.
  const held = new Set<string>();
  const toEndorse: CheckProof = async (work, proof, signal) => {
    const key = nameOf(context, work, proof);
    if (held.has(key)) return undefined;
    const found = await explain(() => checkAll(context, { work, proof }, signal), signal);
    if (found !== undefined) return found;
    if (held.size >= rememberedProofs) held.clear();
    held.add(key);
    return undefined;
  };
  return {
    toEndorse,
    toCertify: async (work, proof, signal) => {
      const found = await toEndorse(work, proof, signal).catch((error: unknown) => {
        if (error instanceof InferiumError && unreachable.has(error.code)) return finding(error.code, error.message);
        throw error;
      });
      if (found === undefined || !unreachable.has(found.code)) return found;
      return explain(() => checkShown(context, { work, proof }, signal), signal);
    },
  };
}

function nameOf({ domain }: ProofContext, { receipt }: WorkReferences, proof: ProofData): string {
  const parts = [digestReceipt(domain, receipt), hashStatement(toStatement(proof)), hashProofWords(proof.words)];
  return [...parts, proof.salt, proof.verifyingKeyDigest, proof.signals[2]].join();
}

/** What is wrong for good is a finding; what may pass is thrown. */
async function explain(check: () => Promise<void>, signal: AbortSignal): Promise<Finding | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (!(error instanceof InferiumError) || error.disposition !== "reject" || signal.aborted) throw error;
    return finding(error.code, error.message);
  }
}

interface Checked {
  readonly work: WorkReferences;
  readonly proof: ProofData;
}

async function checkAll(context: ProofContext, { work, proof }: Checked, signal: AbortSignal): Promise<void> {
  const inputs = await readInputsOf(context, work, signal);
  const record = await readKey(context, work.receipt.message.modelDigest, inputs.rows);
  await verifyInference(toProven(proof), { ...inputs, record }, context.backend, context, signal);
}

async function checkShown(context: ProofContext, { work, proof }: Checked, signal: AbortSignal): Promise<void> {
  const { taskId, worker, attempt, modelDigest } = work.receipt.message;
  const registry = await requireRegistry(context);
  const record = await readKey(context, modelDigest, proof.rows);
  const task = { chainId: BigInt(context.domain.chainId), registry, taskId, worker, attempt };
  await verifyShown(toProven(proof), { task, record }, context.backend, context, signal);
}

function toProven({ words, ...claimed }: ProofData): ProvenInference {
  const modelDigest = parseDigest(claimed.modelDigest);
  const verifyingKeyDigest = parseDigest(claimed.verifyingKeyDigest);
  return { ...claimed, modelDigest, verifyingKeyDigest, proof: proofFromWords(words) };
}

/** @param model 0x-hex, as receipts have it */
async function readKey(context: ProofContext, model: string, rows: number): Promise<RegisteredKey> {
  const circuit = await requireCircuit(context, { rows }, model);
  const verifyingKey = verifyingKeyFromWords(circuit.keyWords);
  return {
    modelDigest: parseDigest(`sha256:${model.slice(2)}`),
    rows,
    verifyingKey,
    verifyingKeyDigest: digestVerifyingKey(verifyingKey),
    ceremony: { isDevelopment: circuit.isDevelopment },
  };
}

async function requireRegistry({ chain }: Pick<ProofContext, "chain">): Promise<string> {
  const registry = await chain.readModelRegistry?.();
  if (registry !== undefined) return registry;
  const message =
    "Proofs are checked with the keys of the chain's registry, and no chain is configured: set INFERIUM_RPC_URL.";
  throw new InferiumError("RegistryUnknown", message);
}

/** @throws InferiumError RegistryUnknown and of readProofInputs */
export async function readInputsOf(
  { chain, artifacts, domain }: Pick<ProofContext, "chain" | "artifacts" | "domain">,
  work: WorkReferences,
  signal: AbortSignal,
): Promise<ProofInputs> {
  return readProofInputs({ artifacts, domain, registry: await requireRegistry({ chain }) }, work, signal);
}

/** @param model 0x-hex of its sha256 @throws InferiumError NotRegistered, RegistryUnknown */
export async function requireCircuit(
  { chain }: Pick<ProofContext, "chain">,
  { rows }: Pick<ProofInputs, "rows">,
  model: string,
): Promise<RegisteredCircuit> {
  await requireRegistry({ chain });
  const circuit = await chain.readCircuit?.(model, rows);
  if (circuit !== undefined) return circuit;
  const message = `The chain's registry has no circuit of model ${model} for ${rows} rows. Register it, or use another verification policy.`;
  throw new InferiumError("NotRegistered", message);
}
