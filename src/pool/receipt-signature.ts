/** Whether a gateway's key signed the receipt of a call: for callers, and whoever judges between them and a gateway. */
import { createPublicKey, verify } from "node:crypto";
import type { CallReceipt } from "../protocol/call-receipt.ts";
import { climb, encodeReceiptMessage } from "../protocol/calls.ts";

/** What an Ed25519 public key of 32 bytes begins with in the form of RFC 8410. */
export const ed25519Prefix = Buffer.from("302a300506032b6570032100", "hex");

/** @param publicKey 32 bytes, 0x-hex */
export function verifyReceiptSignature(publicKey: string, { hash, signature, batch }: CallReceipt): boolean {
  const root = climb({ leaf: hash, ...batch });
  if (root === undefined || !/^0x[0-9a-f]{64}$/.test(publicKey)) return false;
  const der = Buffer.concat([ed25519Prefix, Buffer.from(publicKey.slice(2), "hex")]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return verify(null, encodeReceiptMessage(root), key, Buffer.from(signature, "base64"));
}
