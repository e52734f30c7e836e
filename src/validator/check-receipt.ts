/** Is this the worker's own word about this attempt? Pure. */
import type { SignedReceipt } from "../pool/wire.ts";
import { hashMessage, type ProtocolDomain, receiptTypes, recoverSigner } from "../protocol/typed-data.ts";

export interface ReceiptOwner {
  readonly taskId: string;
  readonly attempt: number;
}

/** The contracts take signatures of 64 bytes only; in another form it would be no evidence there. */
export function isCompact(signature: string): boolean {
  return /^0x[0-9a-f]{128}$/.test(signature);
}

/** Why the receipt is no evidence of the attempt, or undefined where it is. */
export function checkReceipt(domain: ProtocolDomain, receipt: SignedReceipt, owner: ReceiptOwner): string | undefined {
  const { message, signature } = receipt;
  if (message.taskId !== owner.taskId || message.attempt !== owner.attempt) {
    return `the receipt is about attempt ${message.attempt} of ${message.taskId}, not ${owner.attempt} of ${owner.taskId}`;
  }
  const signer = isCompact(signature) ? recoverSigner(domain, receiptTypes, message, signature) : undefined;
  if (signer === message.worker) return undefined;
  return `the receipt of ${message.worker} is signed by ${signer ?? "nobody"}`;
}

/** 0x-hex of 32 bytes. */
export function digestReceipt(domain: ProtocolDomain, receipt: SignedReceipt): string {
  return hashMessage(domain, receiptTypes, receipt.message);
}
