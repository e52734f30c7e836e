/**
 * The key that signs receipts of calls: Ed25519, made anew at each start, since a signature of the host's own key costs several
 * times as much and needs what no caller needs, an address. Windows name it in their id, and the host's receipt for a
 * window's task covers the window.
 *
 * Calls that end in one turn of the event loop are signed together: alone a call waits for nothing, and of many at once each
 * pays for a share of a signature, which costs as much as a small model.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import type { Digest } from "../../base/digest.ts";
import { ed25519Prefix } from "../../pool/receipt-signature.ts";
import type { CallReceipt } from "../../protocol/call-receipt.ts";
import { buildCallTree, encodeReceiptMessage } from "../../protocol/calls.ts";

export type ReceiptSignature = Pick<CallReceipt, "signature" | "batch">;

export interface ReceiptKey {
  /** 32 bytes, 0x-hex. */
  readonly publicKey: string;
  sign(leaf: Digest): Promise<ReceiptSignature>;
}

interface Waiting {
  readonly leaf: Digest;
  readonly resolve: (signature: ReceiptSignature) => void;
  readonly reject: (error: unknown) => void;
}

/** Bounds the proof in a header to six hashes. */
const maxBatch = 64;

export function createReceiptKey(): ReceiptKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(ed25519Prefix.length);
  let waiting: Waiting[] = [];

  function flush(): void {
    const batch = waiting;
    waiting = [];
    try {
      const tree = buildCallTree(batch.map(({ leaf }) => leaf));
      const signature = sign(null, encodeReceiptMessage(tree.root), privateKey).toString("base64");
      for (const [index, { resolve }] of batch.entries()) {
        resolve({ signature, batch: { index, count: batch.length, proof: tree.proof(index) } });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    publicKey: `0x${raw.toString("hex")}`,
    sign: (leaf) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(() => waiting.length > 0 && flush());
        waiting.push({ leaf, resolve, reject });
        if (waiting.length === maxBatch) flush();
      }),
  };
}
