/** Stage 5: from an execution to the signed receipt. Pure but for the signer. */
import { digestToBytes32 } from "../base/digest.ts";
import type { Execution } from "../inference/execute.ts";
import { formatRuntime } from "../inference/runtime.ts";
import type { ProtocolSigner } from "../pool/signer.ts";
import type { ReceiptFields, SignedReceipt } from "../pool/wire.ts";
import type { WorkAssignment } from "../pool/work-assignment.ts";
import { type ProtocolDomain, receiptTypes } from "../protocol/typed-data.ts";

export interface ReceiptFacts {
  readonly worker: string;
  readonly imageDigest: string;
  readonly codeDigest: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export function buildReceipt(assignment: WorkAssignment, execution: Execution, facts: ReceiptFacts): ReceiptFields {
  return {
    taskId: assignment.taskId,
    attempt: assignment.attempt,
    worker: facts.worker,
    modelDigest: digestToBytes32(execution.modelDigest),
    imageDigest: execution.imageDigest ?? facts.imageDigest,
    codeDigest: facts.codeDigest,
    inputDigest: digestToBytes32(execution.inputDigest),
    outputDigest: digestToBytes32(execution.outputDigest),
    runtime: formatRuntime(execution.runtime),
    startedAtMs: facts.startedAtMs,
    endedAtMs: facts.endedAtMs,
  };
}

export async function signReceipt(
  message: ReceiptFields,
  signer: ProtocolSigner,
  domain: ProtocolDomain,
): Promise<SignedReceipt> {
  return { message, signature: await signer.signTypedData(domain, receiptTypes, message) };
}
