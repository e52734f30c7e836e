/**
 * The key that signs receipts of calls: Ed25519, made anew at each start, since a signature of the host's own key costs several
 * times as much and needs what no caller needs, an address. Windows name it in their id, and the host's receipt for a
 * window's task covers the window.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Digest } from "../../base/digest.ts";
import { ed25519Prefix } from "../../pool/receipt-signature.ts";
import { encodeReceiptMessage } from "../../protocol/calls.ts";

const signAside = promisify(sign);

export interface ReceiptKey {
  /** 32 bytes, 0x-hex. */
  readonly publicKey: string;
  /** Base64. On a thread of its own: a signature costs as much as a small model. */
  sign(leaf: Digest): Promise<string>;
}

export function createReceiptKey(): ReceiptKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(ed25519Prefix.length);
  return {
    publicKey: `0x${raw.toString("hex")}`,
    sign: async (leaf) => (await signAside(null, encodeReceiptMessage(leaf), privateKey)).toString("base64"),
  };
}
