/**
 * Receipts that a worker may send instead of the right one, each built from it: for others' work, by others' keys, for other
 * attempts, and of sizes and numbers that break what counts on them.
 */

import type { ReceiptRequest, SignedReceipt } from "../../../src/pool/wire.ts";
import type { InlineTensors } from "../../../src/pool/work-assignment.ts";
import { receiptTypes } from "../../../src/protocol/typed-data.ts";
import type { Cluster, FixtureMember } from "../../integration/operator/operator-fixture.ts";

export interface Scene {
  readonly cluster: Cluster;
  readonly worker: FixtureMember;
  readonly other: FixtureMember;
  /** What would be right. */
  readonly right: Right;
  /** Of another task, settled before, by the same worker and by the other. */
  readonly earlier: SignedReceipt;
  readonly others: SignedReceipt;
}

export interface Right {
  readonly request: Omit<ReceiptRequest, "outcome">;
  readonly receipt: SignedReceipt;
  readonly output: InlineTensors;
}

export interface Attack {
  readonly name: string;
  build(scene: Scene): Promise<unknown>;
}

const huge = 2 ** 63;
/** Order of the curve: s and its complement are both good signatures. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const completed = (receipt: unknown, output: unknown, items: unknown = 1) => ({
  kind: "Completed",
  receipt,
  output,
  items,
});

/** With the message changed and signed anew. */
const signed = (name: string, change: object, by: "worker" | "other" = "worker"): Attack => ({
  name,
  build: async (scene) => {
    const { right, cluster } = scene;
    const message = { ...right.receipt.message, ...change };
    const signature = await scene[by].signer.signTypedData(cluster.domain, receiptTypes, message);
    return completed({ message, signature }, right.output);
  },
});

/** With the message changed and the signature left, for what cannot be signed at all. */
const raw = (name: string, change: object): Attack => ({
  name,
  build: async ({ right: { receipt, output } }) =>
    completed({ ...receipt, message: { ...receipt.message, ...change } }, output),
});

const output = (name: string, y: unknown): Attack => ({
  name,
  build: async ({ right }) => completed(right.receipt, { y }),
});

const items = (value: unknown): Attack => ({
  name: `items-${value}`,
  build: async ({ right }) => completed(right.receipt, right.output, value),
});

export const attacks: readonly Attack[] = [
  signed("wrong-key", {}, "other"),
  signed("other-attempt", { attempt: 2 }),
  signed("attempt-0", { attempt: 0 }),
  signed("attempt-2^32-1", { attempt: 2 ** 32 - 1 }),
  signed("other-task", { taskId: `0x${"77".repeat(32)}` }),
  signed("other-output", { outputDigest: `0x${"66".repeat(32)}` }),
  signed("other-model", { modelDigest: `0x${"55".repeat(32)}` }),
  raw("attempt-2^63", { attempt: huge }),
  raw("attempt-negative", { attempt: -1 }),
  raw("attempt-text", { attempt: "1" }),
  raw("times-2^63", { startedAtMs: huge, endedAtMs: huge }),
  raw("times-infinite", { startedAtMs: Number.POSITIVE_INFINITY }),
  raw("runtime-of-a-mebibyte", { runtime: "x".repeat(2 ** 20) }),
  raw("digest-too-short", { inputDigest: "0x11" }),
  raw("extra-field", { __proto__: { worker: "x" }, admin: true }),
  { name: "replayed", build: async ({ earlier, right }) => completed(earlier, right.output) },
  { name: "of-another-worker", build: async ({ others, right }) => completed(others, right.output) },
  {
    name: "signature-complement",
    build: async ({ right: { receipt, output } }) => {
      const { signature } = receipt;
      const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, "0");
      const v = signature.endsWith("1b") ? "1c" : "1b";
      return completed({ ...receipt, signature: `${signature.slice(0, 66)}${s}${v}` }, output);
    },
  },
  { name: "no-signature", build: async ({ right }) => completed({ ...right.receipt, signature: "0x" }, right.output) },
  { name: "no-receipt", build: async ({ right }) => completed(null, right.output) },
  output("shape-2^63", { dtype: "int32", shape: [huge], data: [] }),
  output("shape-product-2^64", { dtype: "int32", shape: [2 ** 32, 2 ** 32], data: [] }),
  output("shape-negative", { dtype: "int32", shape: [-1], data: [1] }),
  output("shape-of-a-thousand", { dtype: "int32", shape: Array(1_000).fill(1), data: [1] }),
  output("values-nan", { dtype: "float32", shape: [2], data: [Number.NaN, 1] }),
  output("values-2^63", { dtype: "int32", shape: [2], data: [huge, 1] }),
  output("oversized", { dtype: "uint8", shape: [2 ** 23], base64: Buffer.alloc(2 ** 23).toString("base64") }),
  output("unknown-type", { dtype: "string", shape: [1], data: ["x"] }),
  output("deep", JSON.parse(`${'{"y":'.repeat(2_000)}1${"}".repeat(2_000)}`)),
  ...[-1, 0.5, huge, Number.NaN, "1"].map(items),
];
