/**
 * Another validator made a proof: check it with public inputs of our own, then stand for it with the bond, or say what is wrong.
 * Effects: those of the check, one call to the pool.
 */
import type { PoolClient } from "../../pool/client.ts";
import type { EndorseDuty } from "../../pool/duty.ts";
import type { ProtocolSigner } from "../../pool/signer.ts";
import type { AttestResponse } from "../../pool/wire.ts";
import { endorsementOf } from "../../protocol/proof.ts";
import { type ProtocolDomain, proofEndorsementTypes } from "../../protocol/typed-data.ts";
import { type Finding, finding } from "../certify/finding.ts";
import { checkReceipt } from "../check-receipt.ts";
import type { CheckProof } from "./check-proof.ts";

export interface EndorseContext {
  readonly client: Pick<PoolClient, "attest">;
  readonly signer: ProtocolSigner;
  readonly domain: ProtocolDomain;
  readonly checkProof: CheckProof;
}

export type EndorseResult = AttestResponse & { readonly declined?: Finding };

/** @throws InferiumError that may pass (the duty comes again), and of the client */
export async function endorseProof(
  context: EndorseContext,
  { namespace, validation, item, proof }: EndorseDuty,
  signal: AbortSignal,
): Promise<EndorseResult> {
  const { client, signer, domain, checkProof } = context;
  const unsigned = checkReceipt(domain, item.receipt, item);
  const declined =
    unsigned === undefined ? await checkProof(item, proof, signal) : finding("ReceiptNotValid", unsigned);
  if (declined !== undefined) {
    const { code: reason, message } = declined;
    const answer = await client.attest(
      { kind: "decline", namespace, validation, reason, message: message.slice(0, 1_024) },
      signal,
    );
    return { ...answer, declined };
  }
  const signature = await signer.signTypedData(domain, proofEndorsementTypes, endorsementOf(proof, signer.address));
  return client.attest({ kind: "endorse", namespace, validation, signature }, signal);
}
