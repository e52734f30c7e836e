/**
 * The key that signs receipts of calls: Ed25519, made anew at each start, since a signature of the host's own key costs several
 * times as much and needs what no caller needs, an address. Windows name it in their id, and the host's receipt for a
 * window's task covers the window.
 */
import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { Digest } from "../../base/digest.ts";
import { encodeReceiptMessage } from "../../protocol/calls.ts";

export interface ReceiptKey {
  /** 32 bytes, 0x-hex. */
  readonly publicKey: string;
  /** Base64. */
  sign(leaf: Digest): string;
}

/** What an Ed25519 public key of 32 bytes begins with in the form of RFC 8410. */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

export function createReceiptKey(): ReceiptKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
  return {
    publicKey: `0x${raw.toString("hex")}`,
    sign: (leaf) => sign(null, encodeReceiptMessage(leaf), privateKey).toString("base64"),
  };
}

/** @param publicKey 32 bytes, 0x-hex */
export function verifyReceiptSignature(publicKey: string, leaf: Digest, signature: string): boolean {
  if (!/^0x[0-9a-f]{64}$/.test(publicKey)) return false;
  const der = Buffer.concat([spkiPrefix, Buffer.from(publicKey.slice(2), "hex")]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return verify(null, encodeReceiptMessage(leaf), key, Buffer.from(signature, "base64"));
}
